import type { ObjectClient } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import type { Json, JsonObject, KindDefinition, KubeObject, ObjectKey, ObjectReference } from '@bloomery/model';
import { allKinds, isJsonObject } from '@bloomery/model';

/** The object that a reference of a Cluster or Machine leads to: which kind, which key, and what it says by the contract. */
export interface ProviderObject {
  /** `MetalMachine default/x`, for messages. */
  readonly text: string;
  readonly kind: KindDefinition | undefined;
  readonly key: ObjectKey;
  readonly object: KubeObject | undefined;
  readonly view: ProviderView;
}

/** The fields of the provider contract (spec/cluster.md §9), of either version of it. */
export interface ProviderView {
  readonly ready: boolean;
  readonly initialized: boolean;
  readonly dataSecretName: string | undefined;
  readonly providerID: string | undefined;
  readonly failureDomain: string | undefined;
  readonly addresses: readonly Json[];
  readonly endpoint: { readonly host: string; readonly port: number } | undefined;
  /** The condition Ready, when it says why the object waits. */
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
}

/** The stored version of the kind that a reference names; undefined for kinds that this product does not have. */
export function kindOfReference(ref: ObjectReference): KindDefinition | undefined {
  const group = ref.apiVersion?.split('/')[0];
  return allKinds.find((k) => k.storage && k.kind === ref.kind && (group === undefined || k.group === group));
}

/** Read the object behind a reference; undefined when there is no reference. */
export async function readProviderObject(
  client: Pick<ObjectClient, 'get'>,
  ref: ObjectReference | undefined,
  namespace: string,
): Promise<ProviderObject | undefined> {
  if (ref?.name === undefined || ref.name === '') return undefined;
  const key = { name: ref.name, namespace: ref.namespace ?? namespace };
  const kind = kindOfReference(ref);
  const object = kind && (await findObject(client, kind, key));
  return { text: `${ref.kind ?? 'object'} ${key.namespace}/${key.name}`, kind, key, object, view: viewOf(object) };
}

/** What an object says by the provider contract. */
export function viewOf(object: KubeObject | undefined): ProviderView {
  const root: Json = object === undefined ? {} : (object as unknown as JsonObject);
  const started = (field: string): boolean => at(root, 'status', 'initialization', field) === true;
  const host = at(root, 'spec', 'controlPlaneEndpoint', 'host');
  const port = at(root, 'spec', 'controlPlaneEndpoint', 'port');
  const addresses = at(root, 'status', 'addresses');
  return {
    ready: at(root, 'status', 'ready') === true || started('provisioned') || started('dataSecretCreated'),
    initialized: at(root, 'status', 'initialized') === true || started('controlPlaneInitialized'),
    dataSecretName: textAt(root, 'status', 'dataSecretName'),
    providerID: textAt(root, 'spec', 'providerID'),
    failureDomain: textAt(root, 'spec', 'failureDomain') ?? textAt(root, 'status', 'failureDomain'),
    addresses: Array.isArray(addresses) ? addresses : [],
    endpoint: typeof host === 'string' && host !== '' ? { host, port: typeof port === 'number' ? port : 0 } : undefined,
    waiting: waitingOf(at(root, 'status', 'conditions')),
  };
}

function waitingOf(conditions: Json | undefined): ProviderView['waiting'] {
  const list = Array.isArray(conditions) ? conditions : [];
  const ready = list.find((c) => isJsonObject(c) && c['type'] === 'Ready' && c['status'] === 'False');
  const reason = textAt(ready, 'reason');
  return reason === undefined ? undefined : { reason, message: textAt(ready, 'message') ?? reason };
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((v, name) => (isJsonObject(v) ? v[name] : undefined), value);
}

function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
