import { findObject, type ReconcileContext } from '@bloomery/kube';
import { type Cluster, LABELS, type Machine, machine as machineKind, secret } from '@bloomery/model';
import { isBloomeryError, type RandomBytes } from '@bloomery/ports';
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
import { controllerReference } from '../contract/owner-reference.ts';
import { mendOwner, secretOf, secretText } from './cluster-secrets.ts';

const CONTROL_PLANE_LABEL = 'cluster.x-k8s.io/control-plane';
const DAY_MS = 86_400_000;
/** A client certificate with less left than this is made anew. */
export const RENEW_BEFORE_MS = 30 * DAY_MS;
/** A client certificate with less left than this is spoken of. */
export const WARN_BEFORE_MS = 60 * DAY_MS;

/** Sorted addresses of the control-plane Machines: where `talosctl` talks to. Pure. */
export function clientEndpoints(machines: readonly Machine[], clusterName: string): string[] {
  const own = machines.filter(
    ({ metadata, spec }) => spec?.clusterName === clusterName && metadata.labels?.[CONTROL_PLANE_LABEL] !== undefined,
  );
  const addresses = own.flatMap((m) => m.status?.addresses ?? []);
  const usable = addresses.filter((a) => a.type === 'InternalIP' || a.type === 'ExternalIP');
  return [...new Set(usable.map((a) => a.address))].sort();
}

/** What a talosconfig has to be. */
export interface WantedClientConfig {
  readonly clusterName: string;
  readonly endpoints: readonly string[];
  /** PEM of the Talos API CA. */
  readonly authority: string;
  readonly nowMs: number;
}

/** What there is of a talosconfig. */
export type ClientConfigState =
  | { readonly is: 'current'; readonly notAfterMs: number }
  /** Why it has to be written again. */
  | { readonly is: 'stale'; readonly why: string };

/** Whether a talosconfig has to be written again. Pure. */
export function clientConfigState(talosconfig: string | undefined, want: WantedClientConfig): ClientConfigState {
  const stale = (why: string): ClientConfigState => ({ is: 'stale', why });
  if (talosconfig === undefined) return stale('there was none');
  try {
    const context = at(at(readYamlDocument(talosconfig), 'contexts'), want.clusterName);
    const listed = at(context, 'endpoints');
    const endpoints = isYamlList(listed) ? listed.map((e) => scalarString(e) ?? '') : [];
    const pem = (key: string): string => Buffer.from(scalarString(at(context, key)) ?? '', 'base64').toString('utf8');
    if (pem('ca') !== want.authority) return stale('the authority of the Talos API is another one');
    const notAfterMs = readCertificate(pem('crt')).notAfter.getTime();
    if (notAfterMs - want.nowMs < RENEW_BEFORE_MS) return stale('its certificate had less than 30 days left');
    // Machines that were moved or restored have no addresses for a moment: those that are known stay until there are others.
    const isKnown = want.endpoints.length > 0 && endpoints.join() !== want.endpoints.join();
    if (isKnown) return stale('the control plane has other addresses');
    return { is: 'current', notAfterMs };
  } catch {
    // What cannot be read is replaced.
    return stale('it could not be read');
  }
}

const at = (tree: YamlTree | undefined, key: string): YamlTree | undefined =>
  isYamlMap(tree) ? field(tree, key) : undefined;

/** What `refreshClientConfig` left. */
export interface RefreshedClientConfig {
  readonly secretName: string;
  readonly notAfterMs: number;
  /** Absent when nothing was written. */
  readonly written?: { readonly why: string };
}

/** Keep Secret `<cluster>-talosconfig` current. Writes only when something changed. */
export async function refreshClientConfig(
  context: Pick<ReconcileContext, 'client' | 'cache' | 'clock'>,
  cluster: Cluster,
  bundle: SecretsBundle,
  random: RandomBytes,
): Promise<RefreshedClientConfig> {
  const { name: clusterName, namespace = 'default' } = cluster.metadata;
  const key = { name: `${clusterName}-talosconfig`, namespace };
  const endpoints = clientEndpoints(context.cache.list(machineKind, namespace), clusterName);
  const nowMs = context.clock.nowMs();
  const found = await findObject(context.client, secret, key);
  const owner = controllerReference(cluster);
  const text = secretText(found, 'talosconfig');
  const state = clientConfigState(text, { clusterName, endpoints, authority: bundle.os.crt, nowMs });
  if (state.is === 'current') {
    if (found !== undefined) await mendOwner(context, found, owner);
    return { secretName: key.name, notAfterMs: state.notAfterMs };
  }
  const talosconfig = await createTalosconfig({ bundle, clusterName, endpoints, nowMs, random });
  const object = secretOf({ ...key, cluster: clusterName, owner, data: { talosconfig } });
  try {
    if (found === undefined) await context.client.create(secret, object);
    else
      await context.client.patch(secret, key, {
        type: 'merge',
        body: { data: object.data ?? {}, metadata: { labels: { [LABELS.clusterName]: clusterName } } },
      });
  } catch (error) {
    // The TalosConfig of another control plane machine was faster; it wrote the same.
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS') && !isBloomeryError(error, 'BLM_API_CONFLICT')) throw error;
  }
  const written = clientConfigState(talosconfig, { clusterName, endpoints, authority: bundle.os.crt, nowMs });
  return {
    secretName: key.name,
    notAfterMs: written.is === 'current' ? written.notAfterMs : nowMs,
    written: { why: state.why },
  };
}
