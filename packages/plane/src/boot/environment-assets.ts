import { type Environment, environmentAssets } from '@bloomery/model';

/** CPU architecture of a machine, as folders and images are named. */
export type Arch = 'amd64' | 'arm64';

/** Kernel and initrd of an Environment for one architecture. */
export type EnvironmentAssets = ReturnType<typeof environmentAssets>;

/** What an Environment offers a machine of this architecture, and the URL path below `/env/` of its files. */
export function assetsFor(
  environment: Environment,
  arch: Arch,
): { readonly assets: EnvironmentAssets; readonly path: string } {
  const { name } = environment.metadata;
  const own = environment.spec?.architectures?.[arch] !== undefined;
  return { assets: environmentAssets(environment, arch), path: own ? `${name}/${arch}` : name };
}
