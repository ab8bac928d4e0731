import { isIP } from 'node:net';
import type { JsonObject } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { WriteRequest } from '../pipeline/write-request.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';

const LABELS = { component: 'apiserver', provider: 'kubernetes' };
const NAME = 'kubernetes';

/**
 * Write down where this API answers, as kube-apiserver does: the Service `kubernetes` in `default`, and its Endpoints and
 * EndpointSlice when the host is an IP address.
 *
 * @param host as others reach it.
 */
export async function publishApiService(
  { registry, writer }: { readonly registry: Registry; readonly writer: Writer },
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  const servicePorts = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }];
  const objects: [resource: string, object: JsonObject][] = [
    ['services', { metadata: { name: NAME, labels: LABELS }, spec: { ports: servicePorts, type: 'ClusterIP' } }],
  ];
  const family = isIP(host);
  if (family !== 0) {
    const mirror = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
    objects.push(
      ['endpoints', { metadata: { name: NAME, labels: mirror }, subsets: [{ addresses: [{ ip: host }], ports }] }],
      [
        'endpointslices.discovery.k8s.io',
        {
          metadata: { name: NAME, labels: { 'kubernetes.io/service-name': NAME } },
          addressType: family === 6 ? 'IPv6' : 'IPv4',
          endpoints: [{ addresses: [host], conditions: { ready: true } }],
          ports,
        },
      ],
    );
  }
  for (const [id, object] of objects) {
    const resource = registry.byId(id);
    if (resource === undefined) continue;
    const about = { resource, version: resource.storage, namespace: 'default', manager: 'bloomery' } as const;
    await put(writer, { ...about, dryRun: false, fieldValidation: 'Ignore' }, object);
  }
}

/** An object that is as it shall be is not written again. */
async function put(writer: Writer, request: WriteRequest, object: JsonObject): Promise<void> {
  try {
    await writer.update(request, NAME, object);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    await writer.create(request, object);
  }
}
