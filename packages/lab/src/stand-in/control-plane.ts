import { createRemoteClient } from '@bloomery/kube';
import { node } from '@bloomery/model';
import { type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import type { WorkloadApi } from '../workload-api/index.ts';
import type { ClusterConfig } from './cluster-config.ts';
import type { EtcdService } from './etcd/etcd-service.ts';
import type { ServiceBoard } from './service-board.ts';

/** What a control-plane machine runs beside what every machine runs. */
export interface ControlPlane extends AsyncDisposable {
  readonly etcd: EtcdService;
}

export interface ControlPlaneOptions {
  readonly cluster: ClusterConfig;
  readonly hostname: string;
  readonly addresses: readonly string[];
  /** Makes the etcd member; the argument is called when the program starts or ends. */
  readonly makeEtcd: (onChanged: () => void) => EtcdService;
  /** Where the objects of the Kubernetes API are kept. */
  readonly apiDir: string;
  readonly apiHost: string;
  readonly board: ServiceBoard;
}

export interface ControlPlaneDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

const LOOK_MS = 2_000;
const JOIN_EVERY_MS = 10_000;
const CONTROL_PLANE_NODES = 'node-role.kubernetes.io/control-plane';
const DEFAULT_PORT = 6443;

/** The Kubernetes API's service: Talos runs it as a static pod, so that it has no place in its list of services. */
export const API_SERVICE = 'kube-apiserver-stand-in';

/**
 * Run a control plane: etcd, once it was bootstrapped or let into a cluster, and the Kubernetes API as long as etcd is healthy,
 * as a real one would be of no use without it.
 */
export function runControlPlane(options: ControlPlaneOptions, deps: ControlPlaneDeps): ControlPlane {
  const { clock, log } = deps;
  const stop = new AbortController();
  let wake = (): void => {};
  const etcd = options.makeEtcd(() => wake());
  let api: WorkloadApi | undefined;
  let nextJoinMs = 0;
  const reportEtcd = createEtcdReport(etcd, options.board);

  let lastTrouble = '';
  const trouble = (event: string, error: unknown): void => {
    if (errorText(error) !== lastTrouble) log.warn(event, { error: errorText(error) });
    lastTrouble = errorText(error);
  };
  const notStarted = (error: unknown): undefined => {
    options.board.set(API_SERVICE, { state: 'FAILED', message: errorText(error), isHealthy: undefined });
    trouble('kubeapi.not-started', error);
  };

  const look = async (): Promise<void> => {
    const isHealthy = await reportEtcd();
    if (etcd.state === 'waiting' && clock.nowMs() >= nextJoinMs) {
      nextJoinMs = clock.nowMs() + JOIN_EVERY_MS;
      await joinOthers(etcd, options, log);
    }
    if (isHealthy && api === undefined) api = await startApi(options, deps).catch(notStarted);
    if (etcd.state !== 'running' && api !== undefined) {
      await api[Symbol.asyncDispose]();
      api = undefined;
      options.board.set(API_SERVICE, { state: 'FINISHED', message: 'etcd does not run', isHealthy: undefined });
    }
  };
  const running = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const changed = new AbortController();
      wake = () => changed.abort();
      await look().catch((error: unknown) => trouble('controlplane.look-failed', error));
      await clock.sleep(LOOK_MS, AbortSignal.any([stop.signal, changed.signal]));
    }
  })();
  return {
    etcd,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await api?.[Symbol.asyncDispose]();
      await etcd[Symbol.asyncDispose]();
    },
  };
}

/** Reports how etcd is; the answer is whether it is healthy. A member that only starts is not called ill. */
function createEtcdReport(etcd: EtcdService, board: ServiceBoard): () => Promise<boolean> {
  let wasHealthy = false;
  return async () => {
    const isHealthy = await etcd.isHealthy();
    if (etcd.state !== 'running') {
      wasHealthy = false;
      const hasLeft = etcd.state === 'left';
      const message = hasLeft ? 'Left the cluster' : 'Waiting for bootstrap, or for members to join';
      board.set('etcd', { state: hasLeft ? 'FINISHED' : 'PREPARING', message, isHealthy: undefined });
      return false;
    }
    wasHealthy ||= isHealthy;
    const failed = wasHealthy ? 'Health check failed' : 'Started, and not yet healthy';
    const message = isHealthy ? 'Health check successful' : `${failed} ${etcd.lastWords}`.trim();
    board.set('etcd', { state: 'RUNNING', message, isHealthy: wasHealthy ? isHealthy : undefined });
    return isHealthy;
  };
}

async function startApi(options: ControlPlaneOptions, deps: ControlPlaneDeps): Promise<WorkloadApi> {
  const { cluster, hostname, addresses, apiDir, apiHost, board } = options;
  // Loaded when it is wanted: workers need none of it.
  const { startWorkloadApi } = await import('../workload-api/index.ts');
  const endpoint = new URL(cluster.endpoint);
  const api = await startWorkloadApi(
    {
      dir: apiDir,
      listen: { host: apiHost, port: Number(endpoint.port || DEFAULT_PORT) },
      names: [
        ...new Set([
          ...['localhost', '127.0.0.1', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', hostname],
          ...[endpoint.hostname.replace(/^\[|\]$/g, ''), ...addresses, ...cluster.apiServerNames],
        ]),
      ],
      ca: cluster.kubernetesCa,
      serviceAccountKey: cluster.serviceAccountKey,
      bootstrapToken: cluster.bootstrapToken,
    },
    { ...deps, log: deps.log.with({ part: 'kube-api' }) },
  );
  const message = 'Started: an API without scheduler and pods, whose objects are not in etcd';
  board.set(API_SERVICE, { state: 'RUNNING', message, isHealthy: true });
  deps.log.info('kubeapi.started', { ...api.address });
  return api;
}

/** Become a member of the etcd behind the cluster's endpoint, when somebody else serves there already. */
async function joinOthers(etcd: EtcdService, { cluster, addresses }: ControlPlaneOptions, log: Logger): Promise<void> {
  await using client = createRemoteClient({
    server: cluster.endpoint.replace(/\/$/, ''),
    ca: cluster.kubernetesCa.crt,
    token: cluster.bootstrapToken,
    namespace: 'default',
  });
  let others: string[];
  try {
    const { items } = await client.list(node, { labels: CONTROL_PLANE_NODES });
    const all = items.flatMap(({ status }) => status?.addresses ?? []);
    others = all.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
  } catch {
    // Nobody serves there: this may be the machine that is going to be bootstrapped.
    return;
  }
  others = others.filter((address) => !addresses.includes(address));
  if (others.length === 0 || etcd.state !== 'waiting') return;
  log.info('etcd.joining', { through: others });
  await etcd.join(others);
}
