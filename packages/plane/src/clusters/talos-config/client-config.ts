import { findObject, type ReconcileContext } from '@bloomery/kube';
import {
  type Cluster,
  cluster as clusterKind,
  LABELS,
  type Machine,
  machine as machineKind,
  secret,
} from '@bloomery/model';
import type { RandomBytes } from '@bloomery/ports';
import {
  createTalosconfig,
  field,
  isYamlList,
  isYamlMap,
  readCertificate,
  readYamlDocument,
  type SecretsBundle,
  scalarString,
  type YamlTree,
} from '@bloomery/talos';
import { controllerReference, secretOf, secretText } from './cluster-secrets.ts';

const CONTROL_PLANE_LABEL = 'cluster.x-k8s.io/control-plane';
/** A client certificate with less left than this is made anew. */
export const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Sorted addresses of the control-plane Machines: where `talosctl` talks to. Pure. */
export function clientEndpoints(machines: readonly Machine[], clusterName: string): string[] {
  const own = machines.filter(
    ({ metadata, spec }) => spec?.clusterName === clusterName && metadata.labels?.[CONTROL_PLANE_LABEL] !== undefined,
  );
  const addresses = own.flatMap((m) => m.status?.addresses ?? []);
  const usable = addresses.filter((a) => a.type === 'InternalIP' || a.type === 'ExternalIP');
  return [...new Set(usable.map((a) => a.address))].sort();
}

/** Whether a talosconfig has to be written again: other endpoints, another authority, or soon to expire. Pure. */
export function isClientConfigStale(
  talosconfig: string | undefined,
  want: {
    readonly clusterName: string;
    readonly endpoints: readonly string[];
    readonly authority: string;
    readonly nowMs: number;
  },
): boolean {
  if (talosconfig === undefined) return true;
  try {
    const context = at(at(readYamlDocument(talosconfig), 'contexts'), want.clusterName);
    const listed = at(context, 'endpoints');
    const endpoints = isYamlList(listed) ? listed.map((e) => scalarString(e) ?? '') : [];
    const pem = (key: string): string => Buffer.from(scalarString(at(context, key)) ?? '', 'base64').toString('utf8');
    if (endpoints.join() !== want.endpoints.join() || pem('ca') !== want.authority) return true;
    return readCertificate(pem('crt')).notAfter.getTime() - want.nowMs < RENEW_BEFORE_MS;
  } catch {
    // What cannot be read is replaced.
    return true;
  }
}

const at = (tree: YamlTree | undefined, key: string): YamlTree | undefined =>
  isYamlMap(tree) ? field(tree, key) : undefined;

/** Keep Secret `<cluster>-talosconfig` current. Writes only when something changed. */
export async function refreshClientConfig(
  context: Pick<ReconcileContext, 'client' | 'cache' | 'clock'>,
  cluster: Cluster,
  bundle: SecretsBundle,
  random: RandomBytes,
): Promise<void> {
  const { name: clusterName, namespace = 'default' } = cluster.metadata;
  const key = { name: `${clusterName}-talosconfig`, namespace };
  const endpoints = clientEndpoints(context.cache.list(machineKind, namespace), clusterName);
  const nowMs = context.clock.nowMs();
  const found = await findObject(context.client, secret, key);
  const text = secretText(found, 'talosconfig');
  if (!isClientConfigStale(text, { clusterName, endpoints, authority: bundle.os.crt, nowMs })) return;
  const talosconfig = await createTalosconfig({ bundle, clusterName, endpoints, nowMs, random });
  const owner = controllerReference(clusterKind, cluster);
  const object = secretOf({ ...key, cluster: clusterName, owner, data: { talosconfig } });
  if (found === undefined) await context.client.create(secret, object);
  else
    await context.client.patch(secret, key, {
      type: 'merge',
      body: { data: object.data ?? {}, metadata: { labels: { [LABELS.clusterName]: clusterName } } },
    });
}
