import type { Environment, EnvironmentAssets } from '@bloomery/model';

/** CPU architecture of a machine, as folders and images are named. */
export type Arch = 'amd64' | 'arm64';

/** What an Environment offers a machine of this architecture, and the URL path below `/env/` of its files. */
export function assetsFor(
  environment: Environment,
  arch: Arch,
): { readonly assets: EnvironmentAssets; readonly path: string } {
  const own = environment.spec?.architectures?.[arch];
  return own === undefined
    ? { assets: environment.spec ?? {}, path: environment.metadata.name }
    : { assets: own, path: `${environment.metadata.name}/${arch}` };
}
