import type { FollowedKinds, KindResolver, ObjectCache, ObjectClient } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import type { JsonObject, KindRef, KubeObject, ObjectKey, ObjectReference } from '@bloomery/model';
import { apiVersionOf } from '@bloomery/model';
import { type ProviderView, viewOf } from './provider-view.ts';

/** A reference to a provider's object, as either version of Cluster API writes it. */
export type ProviderReference = ObjectReference & { readonly apiGroup?: string };

/** Finds and follows kinds that are only known at run time. */
export interface ProviderKinds {
  readonly resolver: KindResolver;
  readonly followed: FollowedKinds;
  readonly cache: ObjectCache;
}

/** The object that a reference of a Cluster or Machine leads to: which kind, which key, and what it says by the contract. */
export interface ProviderObject {
  /** `MetalMachine default/x`, for messages. */
  readonly text: string;
  /** undefined: no such type is served. */
  readonly kind: KindRef | undefined;
  readonly key: ObjectKey;
  /** undefined: there is none, or no such type. */
  readonly object: KubeObject | undefined;
  readonly view: ProviderView;
  /** What the reference should name as apiVersion, where the version that it names is not served. */
  readonly mendedApiVersion?: string | undefined;
}

/**
 * Read the object behind a reference through the API, and follow its kind from now on; undefined when there is no reference.
 * An object whose type is not served counts as not there.
 */
export async function readProviderObject(
  deps: Omit<ProviderKinds, 'cache'> & { readonly client: Pick<ObjectClient, 'get'> },
  ref: ProviderReference | undefined,
  namespace: string,
): Promise<ProviderObject | undefined> {
  if (ref?.name === undefined || ref.name === '') return undefined;
  const key = { name: ref.name, namespace: ref.namespace || namespace };
  const resolved = await deps.resolver.resolve(ref);
  const kind = resolved?.kind;
  if (kind !== undefined) await deps.followed.follow(kind);
  const object = kind && (await findObject(deps.client, kind, key));
  const version = ref.apiVersion?.split('/')[1];
  const isServed = resolved === undefined || version === undefined || resolved.served.includes(version);
  return {
    text: `${ref.kind ?? 'object'} ${key.namespace}/${key.name}`,
    kind,
    key,
    object,
    view: viewOf(object),
    mendedApiVersion: isServed || kind === undefined ? undefined : apiVersionOf(kind),
  };
}

/** The reference with a version that is served, as a patch needs it whole; undefined when it is right as it is. */
export function mendedReference(
  ref: ObjectReference | undefined,
  source: ProviderObject | undefined,
): JsonObject | undefined {
  if (ref === undefined || source?.mendedApiVersion === undefined) return undefined;
  return { ...ref, apiVersion: source.mendedApiVersion };
}

/** What is known of the object behind a reference, for people: that it is missing, or why it waits. */
export function providerStateText(source: ProviderObject | undefined): string {
  if (source === undefined) return 'no reference is given';
  if (source.kind === undefined) return `no kind of ${source.text} is installed; install it or correct the reference`;
  if (source.object === undefined) return `${source.text} does not exist; create it`;
  return source.view.waiting === undefined
    ? `${source.text} is not ready yet`
    : `${source.text}: ${source.view.waiting.message}`;
}
