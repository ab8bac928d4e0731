import { type ObjectClient, patchObject } from '@bloomery/kube';
import type { Cluster } from '@bloomery/model';
import { claimPatch } from './claim.ts';
import { type ProviderKinds, type ProviderReference, readProviderObject } from './provider-object.ts';

/**
 * Make the Cluster an owner of a template, so that it goes and is moved with the Cluster. Only kinds ending in `Template`; what
 * is not there is left out.
 */
export async function claimTemplate(
  deps: ProviderKinds & { readonly client: ObjectClient },
  ref: ProviderReference | undefined,
  cluster: Cluster,
): Promise<void> {
  if (ref?.kind?.endsWith('Template') !== true) return;
  const { namespace = 'default', name: clusterName } = cluster.metadata;
  const claim = { owner: cluster, clusterName, asController: false };
  const known = await cachedObject(deps, ref, namespace);
  if (known !== undefined && claimPatch(known, claim) === undefined) return;
  const { kind, key, object } = (await readProviderObject(deps, ref, namespace)) ?? {};
  if (kind === undefined || key === undefined || object === undefined) return;
  await patchObject(deps.client, kind, key, (template) => claimPatch(template, claim));
}

/** The object behind a reference as the cache has it: costs no call. undefined also while its kind is not followed yet. */
export async function cachedObject(
  { resolver, cache }: Pick<ProviderKinds, 'resolver' | 'cache'>,
  ref: ProviderReference | undefined,
  namespace: string,
) {
  const kind = ref?.name === undefined ? undefined : (await resolver.resolve(ref))?.kind;
  return kind && cache.get(kind, { name: ref?.name ?? '', namespace: ref?.namespace || namespace });
}
