import { join } from 'node:path';
import { type Clock, errorText, type Logger, type RandomBytes, type Service } from '@bloomery/ports';
import type { MachineReports } from '@bloomery/siderolink';
import { type MachineActions, startTalosApiServer, TRUSTD_PORT } from '@bloomery/talos';
import type { ClusterConfig } from './cluster-config.ts';
import { type ControlPlane, runControlPlane } from './control-plane.ts';
import { writeEtcdCertificates } from './etcd/etcd-certificates.ts';
import { createEtcdService } from './etcd/etcd-service.ts';
import { keepNode, type NodeKeeper } from './kubelet/keep-node.ts';
import type { NodeFacts } from './kubelet/node-object.ts';
import { createMachineActions, type Ending } from './machine-actions.ts';
import type { SequenceLog } from './sequence-log.ts';
import { createServiceBoard, type ServiceBoard } from './service-board.ts';

export interface NodeOptions {
  readonly cluster: ClusterConfig;
  /** The machine configuration, YAML. */
  readonly config: string;
  /** Of the stand-in. */
  readonly version: string;
  /** Asked again and again; addresses best first. */
  readonly facts: () => NodeFacts;
  /** Where the Talos API and the Kubernetes API listen. */
  readonly listenHost: string;
  /** What etcd and the Kubernetes API keep, and their certificates. */
  readonly stateDir: string;
  /** Path of the etcd program; there is one on control planes. */
  readonly etcdProgram: string;
  readonly saveConfig: (config: string) => Promise<void>;
}

export interface NodeDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly reports: Pick<MachineReports, 'service'>;
  readonly sequences: Pick<SequenceLog, 'follow'>;
}

/** A machine at work in its cluster. */
export interface RunningNode extends AsyncDisposable {
  /** Resolves when somebody asks the machine to end its run. */
  readonly ended: Promise<Ending>;
  /** Leave etcd, as far as this machine is a member and there are others. */
  leave(): Promise<void>;
}

const TALOS_API_PORT = 50_000;
const RETRY_MS = 3_000;

/**
 * Do what a machine of a cluster does: serve the Talos API with the certificates of its configuration, keep its Node, and on a
 * control plane run etcd and the Kubernetes API. All of it is told over the link as it happens.
 */
export async function runNode(options: NodeOptions, deps: NodeDeps): Promise<RunningNode> {
  const { cluster, facts, version, config, saveConfig } = options;
  const { clock, reports } = deps;
  await using cleanup = new AsyncDisposableStack();
  const board = createServiceBoard(reports, () => clock.nowMs());
  const { promise: ended, resolve: end } = Promise.withResolvers<Ending>();
  const controlPlane = cluster.isControlPlane ? await startControlPlane(options, deps, board) : undefined;
  if (controlPlane !== undefined) cleanup.use(controlPlane);
  const machine = createMachineActions({
    ...{ version, board, config, saveConfig, end },
    hostname: facts().hostname,
    sequences: deps.sequences,
    etcd: controlPlane?.etcd,
  });
  cleanup.use(keepTalosApi(options, deps, { machine, board }));
  const keeper = keepOwnNode(options, deps, board);
  cleanup.use(keeper);
  const owned = cleanup.move();
  return {
    ended,
    leave: async () => {
      if (controlPlane?.etcd.state === 'running') await controlPlane.etcd.leave();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function keepOwnNode({ cluster, facts }: NodeOptions, deps: NodeDeps, board: ServiceBoard): NodeKeeper {
  let wasRegistered = false;
  const onChanged = (): void => {
    const { trouble } = keeper;
    wasRegistered ||= trouble === undefined;
    // As with a kubelet, an API that is not there yet is no illness.
    const isHealthy = wasRegistered ? trouble === undefined : undefined;
    const message = trouble ?? 'The Node is registered';
    board.set('kubelet', { state: wasRegistered ? 'RUNNING' : 'PREPARING', message, isHealthy });
  };
  const message = 'the Talos stand-in is up; there is no kubelet and no container runtime';
  const keeper = keepNode({ cluster, facts, health: () => ({ isReady: true, message }), onChanged }, deps);
  return keeper;
}

async function startControlPlane(options: NodeOptions, deps: NodeDeps, board: ServiceBoard): Promise<ControlPlane> {
  const { cluster, facts, stateDir, etcdProgram, listenHost } = options;
  const { hostname, addresses } = facts();
  const certificates = await writeEtcdCertificates(
    join(stateDir, 'pki/etcd'),
    // etcd believes a peer only when it calls from an address of its certificate.
    { authority: cluster.etcdCa, name: hostname, names: [hostname, ...addresses, 'localhost', '127.0.0.1', '::1'] },
    deps.clock,
  );
  const place = { name: hostname, address: addresses[0] ?? '127.0.0.1', clusterToken: cluster.name };
  const dataDir = join(stateDir, 'etcd');
  return runControlPlane(
    {
      ...{ cluster, hostname, addresses, board, apiHost: listenHost, apiDir: join(stateDir, 'kube-api') },
      makeEtcd: (onChanged) =>
        createEtcdService({ ...place, dataDir, program: etcdProgram, certificates }, { ...deps, onChanged }),
    },
    deps,
  );
}

interface TalosApiParts {
  readonly machine: MachineActions;
  readonly board: ServiceBoard;
}

/** Start the Talos API, and try again as long as it cannot start: a worker's trustd comes up when its control plane does. */
function keepTalosApi(options: NodeOptions, deps: NodeDeps, { machine, board }: TalosApiParts): AsyncDisposable {
  const { cluster, config, listenHost, facts } = options;
  const { clock, log } = deps;
  const stop = new AbortController();
  let service: Service | undefined;
  const { hostname, addresses } = facts();
  const host = new URL(cluster.endpoint).hostname.replace(/^\[|\]$/g, '');
  const start = (): Promise<Service> =>
    startTalosApiServer(
      {
        listen: { host: listenHost, port: TALOS_API_PORT },
        ...{ config, hostname, addresses },
        ...(cluster.isControlPlane ? {} : { trustd: { host, port: TRUSTD_PORT } }),
      },
      { machine, clock, log },
    );
  const running = (async (): Promise<void> => {
    while (!stop.signal.aborted && service === undefined) {
      try {
        service = await start();
        board.set('apid', { state: 'RUNNING', message: 'Started', isHealthy: true });
        if (cluster.isControlPlane) board.set('trustd', { state: 'RUNNING', message: 'Started', isHealthy: true });
        log.info('apid.started', { ...service.address });
      } catch (error) {
        board.set('apid', { state: 'WAITING', message: errorText(error), isHealthy: undefined });
        log.warn('apid.not-started', { error: errorText(error) });
        await clock.sleep(RETRY_MS, stop.signal);
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await service?.[Symbol.asyncDispose]();
    },
  };
}
