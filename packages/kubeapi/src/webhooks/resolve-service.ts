import type { JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { record, records, texts } from '../json-parts.ts';
import type { Store } from '../store/store.ts';
import type { WebhookService } from './client-config.ts';
import { webhookFailure } from './webhook-failure.ts';

/** An address to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** More addresses of one Service than these are not looked at. */
const MAX_ADDRESSES = 64;

/**
 * Addresses behind a Service. There is no cluster network here, so the objects themselves are asked: EndpointSlices and
 * Endpoints of the Service's name first, then its externalName, then its clusterIP.
 *
 * @throws BloomeryError BLM_API_WEBHOOK_FAILED when nothing tells where the Service is.
 */
export function resolveService(store: Store, { namespace, name, port }: WebhookService): readonly Address[] {
  const service = store.get({ resource: 'services', namespace, name });
  const ports = records(record(service?.['spec'])['ports']);
  const wanted = ports.find((p) => p['port'] === port);
  if (service !== undefined && ports.length > 0 && wanted === undefined)
    throw webhookFailure(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const portName = typeof wanted?.['name'] === 'string' ? wanted['name'] : '';
  const pick = (offered: readonly JsonObject[]): number | undefined => portOf(offered, portName, port);
  const endpoints = store.get({ resource: 'endpoints', namespace, name });
  const addresses = [...addressesOfSlices(store, namespace, name, pick), ...addressesOf(endpoints, pick)];
  if (addresses.length > 0) return addresses.slice(0, MAX_ADDRESSES);
  const { externalName, clusterIP } = record(service?.['spec']);
  if (typeof externalName === 'string' && externalName !== '') return [{ host: externalName, port }];
  if (typeof clusterIP === 'string' && clusterIP !== '' && clusterIP !== 'None') return [{ host: clusterIP, port }];
  throw webhookFailure(
    service === undefined
      ? `service ${JSON.stringify(name)} not found; ${advice(namespace, name)}`
      : `no endpoints available for service ${JSON.stringify(name)}; ${advice(namespace, name)}`,
  );
}

function advice(namespace: string, name: string): string {
  return `nothing runs Pods here: let the webhook's clientConfig carry a url, or create Endpoints ${namespace}/${name} with the address and port of the process`;
}

function addressesOfSlices(
  store: Store,
  namespace: string,
  name: string,
  pick: (ports: readonly JsonObject[]) => number | undefined,
): readonly Address[] {
  const slices = store
    .list('endpointslices.discovery.k8s.io', namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
  return slices.flatMap((slice) => {
    const port = pick(records(slice['ports']));
    if (port === undefined) return [];
    return records(slice['endpoints'])
      .filter((endpoint) => record(endpoint['conditions'])['ready'] !== false)
      .flatMap((endpoint) => texts(endpoint['addresses']).map((host) => ({ host, port })));
  });
}

function addressesOf(
  endpoints: ApiObject | undefined,
  pick: (ports: readonly JsonObject[]) => number | undefined,
): readonly Address[] {
  return records(endpoints?.['subsets']).flatMap((subset) => {
    const port = pick(records(subset['ports']));
    if (port === undefined) return [];
    return records(subset['addresses']).flatMap(({ ip }) => (typeof ip === 'string' ? [{ host: ip, port }] : []));
  });
}

/** Of the ports of endpoints: the one with the name of the Service's port, else with its number, else the only one. */
function portOf(offered: readonly JsonObject[], name: string, number: number): number | undefined {
  const chosen =
    offered.find((p) => (p['name'] ?? '') === name) ??
    offered.find((p) => p['port'] === number) ??
    (offered.length === 1 ? offered[0] : undefined);
  const port = chosen?.['port'];
  return typeof port === 'number' ? port : undefined;
}
