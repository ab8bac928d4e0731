import type { Environment } from './environment.ts';

/** Kernel and initrd of an Environment for one architecture. */
export type EnvironmentAssets = Pick<NonNullable<Environment['spec']>, 'kernel' | 'initrd'>;

/**
 * May a machine boot these assets of an Environment (its own ones unless said)? Every URL of kernel and initrd has a condition
 * Ready True with the same URL; without URLs it is ready (spec/metal.md §6).
 */
export function isEnvironmentReady(
  environment: Environment,
  assets: EnvironmentAssets = environment.spec ?? {},
): boolean {
  const conditions = environment.status?.conditions ?? [];
  return [assets.kernel?.url, assets.initrd?.url].every(
    (url) => !url || conditions.some((c) => c.url === url && c.type === 'Ready' && c.status === 'True'),
  );
}
