import type { Environment } from './environment.ts';

/**
 * May a machine boot this Environment? Every URL of kernel and initrd has a condition Ready True with the same URL;
 * an Environment without URLs is ready (spec/metal.md §6). For another architecture the assets given for it are asked.
 */
export function isEnvironmentReady(environment: Environment, arch?: string): boolean {
  const assets = environmentAssets(environment, arch);
  const conditions = environment.status?.conditions ?? [];
  return [assets.kernel?.url, assets.initrd?.url].every(
    (url) => !url || conditions.some((c) => c.url === url && c.type === 'Ready' && c.status === 'True'),
  );
}

/** The kernel and initrd that a machine of an architecture (`amd64`, `arm64`) gets. */
export function environmentAssets(
  environment: Environment,
  arch?: string,
): Pick<NonNullable<Environment['spec']>, 'kernel' | 'initrd'> {
  const special = arch === undefined ? undefined : environment.spec?.architectures?.[arch];
  return special ?? environment.spec ?? {};
}
