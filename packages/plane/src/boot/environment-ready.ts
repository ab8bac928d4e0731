import type { Environment } from '@bloomery/model';

/** CPU architecture of a machine, as folders and images are named. */
export type Arch = 'amd64' | 'arm64';

/** Kernel and initrd of an Environment for one architecture. */
export type EnvironmentAssets = Pick<NonNullable<Environment['spec']>, 'kernel' | 'initrd'>;

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

/** Whether every asset that has a URL is there: a Ready=True condition for exactly that URL exists. */
export function isEnvironmentReady(environment: Environment, assets: EnvironmentAssets): boolean {
  const ready = new Set(
    (environment.status?.conditions ?? [])
      .filter((c) => c.type === 'Ready' && c.status === 'True')
      .map((c) => c.url ?? ''),
  );
  return [assets.kernel?.url, assets.initrd?.url].every((url) => url === undefined || url === '' || ready.has(url));
}
