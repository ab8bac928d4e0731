import type { Json, JsonObject, KubeObject } from '@bloomery/model';
import { isJsonObject } from '@bloomery/model';

/** What an object says by the provider contract (spec/cluster.md §9), of either version of it: each field pair counts. */
export interface ProviderView {
  /** Provisioned, for infrastructure; has its data Secret, for bootstrap configs; serves, for control planes. */
  readonly ready: boolean;
  /** The control plane's API can be reached for the first time. */
  readonly initialized: boolean;
  readonly dataSecretName: string | undefined;
  readonly providerID: string | undefined;
  readonly failureDomain: string | undefined;
  /** By name; from the map of v1beta1 or the list of v1beta2. */
  readonly failureDomains: FailureDomains | undefined;
  readonly addresses: readonly Json[];
  readonly endpoint: { readonly host: string; readonly port: number } | undefined;
  readonly failureReason: string | undefined;
  readonly failureMessage: string | undefined;
  /** The condition Ready, when it says why the object waits. */
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  /** The object's own short word for what it waits for. */
  readonly waitingFor: string | undefined;
  /** The control plane is not made of Machines. */
  readonly isExternallyManaged: boolean;
}

export type FailureDomains = Readonly<
  Record<string, { readonly controlPlane?: boolean; readonly attributes?: Readonly<Record<string, string>> }>
>;

/** What an object says by the provider contract. */
export function viewOf(object: KubeObject | undefined): ProviderView {
  const root: Json = object === undefined ? {} : (object as unknown as JsonObject);
  const started = (field: string): boolean => at(root, 'status', 'initialization', field) === true;
  const host = at(root, 'spec', 'controlPlaneEndpoint', 'host');
  const port = at(root, 'spec', 'controlPlaneEndpoint', 'port');
  const addresses = at(root, 'status', 'addresses');
  const hasReadyFlag = at(root, 'status', 'ready') !== undefined;
  return {
    ready:
      at(root, 'status', 'ready') === true ||
      started('provisioned') ||
      started('dataSecretCreated') ||
      (!hasReadyFlag && started('controlPlaneInitialized')),
    initialized: at(root, 'status', 'initialized') === true || started('controlPlaneInitialized'),
    dataSecretName: textAt(root, 'status', 'dataSecretName'),
    providerID: textAt(root, 'spec', 'providerID'),
    failureDomain: textAt(root, 'spec', 'failureDomain') ?? textAt(root, 'status', 'failureDomain'),
    failureDomains: failureDomainsOf(at(root, 'status', 'failureDomains') ?? at(root, 'spec', 'failureDomains')),
    addresses: Array.isArray(addresses) ? addresses : [],
    endpoint: typeof host === 'string' && host !== '' ? { host, port: typeof port === 'number' ? port : 0 } : undefined,
    failureReason: textAt(root, 'status', 'failureReason'),
    failureMessage: textAt(root, 'status', 'failureMessage'),
    waiting: waitingOf(at(root, 'status', 'conditions')),
    waitingFor: textAt(root, 'status', 'waitingFor'),
    isExternallyManaged: at(root, 'status', 'externalManagedControlPlane') === true,
  };
}

function failureDomainsOf(value: Json | undefined): FailureDomains | undefined {
  const entries = Array.isArray(value)
    ? value.filter(isJsonObject).map((domain) => [textAt(domain, 'name') ?? '', domain] as const)
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  const domains = entries.flatMap(([name, domain]) =>
    name === '' || !isJsonObject(domain) ? [] : [[name, failureDomainOf(domain)] as const],
  );
  return domains.length === 0 ? undefined : Object.fromEntries(domains);
}

function failureDomainOf({ controlPlane, attributes }: JsonObject): FailureDomains[string] {
  const texts = isJsonObject(attributes)
    ? Object.entries(attributes).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : [];
  return {
    ...(typeof controlPlane === 'boolean' ? { controlPlane } : {}),
    ...(texts.length > 0 ? { attributes: Object.fromEntries(texts) } : {}),
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
