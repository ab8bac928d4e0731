import type { ClusterAccess, ObjectClient } from '@bloomery/kube';
import type { Node, ObjectKey } from '@bloomery/model';
import { backOffMs, type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { ConnectGate } from './connect-gate.ts';
import { type CurrentRemote, guardedClient } from './guarded-client.ts';
import { createNodeTable, type NodeTable } from './node-table.ts';
import { readSecretAccess } from './secret-access.ts';
import type { WorkloadState } from './workload-clusters.ts';
import { workloadFailureText } from './workload-failure.ts';
import { openWorkloadSession, SilentApi, type WorkloadSession } from './workload-session.ts';

export interface ConnectionDeps {
  /** Of the management cluster: where the kubeconfig Secret lies. */
  readonly client: Pick<ObjectClient, 'get'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 ≤ r < 1, for back-off. */
  readonly random: () => number;
  readonly gate: ConnectGate;
  /** Called when the state (undefined) or a Node changed. */
  readonly changed: (node: Node | undefined) => void;
}

/** The connection to one workload cluster, with all retries. */
export interface WorkloadConnection extends AsyncDisposable {
  state(): WorkloadState;
  readonly nodes: Pick<NodeTable, 'list' | 'withProviderId'>;
  readonly client: ObjectClient;
  /** The Secret may have changed: look at it. */
  recheck(): void;
}

const RETRY = { firstMs: 500, maxMs: 30_000 };
/** An API that is not there yet, or restarts, is waited for by people. */
const RETRY_SOON = { firstMs: 500, maxMs: 5_000 };
const SOON_MS = 20 * 60_000;
/** Secrets are followed by a watch; this is for those that the watch does not see (of another type). */
const SECRET_POLL_MS = 30_000;

interface Connection {
  readonly cluster: ObjectKey;
  readonly deps: ConnectionDeps;
  readonly log: Logger;
  readonly ends: AbortSignal;
  readonly table: NodeTable;
  state: WorkloadState;
  session: WorkloadSession | undefined;
  /** Of the kubeconfig that was used last. */
  fingerprint: string | undefined;
  failures: number;
  /** How often the Secret may have changed: what was read before may be older than a change that was told meanwhile. */
  changes: number;
  wakeUp: () => void;
}

/** Open a connection; it goes on trying until the signal aborts or it is disposed. */
export function openWorkloadConnection(
  cluster: ObjectKey,
  deps: ConnectionDeps,
  signal: AbortSignal,
): WorkloadConnection {
  const closing = new AbortController();
  const connection: Connection = {
    cluster,
    deps,
    log: deps.log.with({ cluster: cluster.name, namespace: cluster.namespace }),
    ends: AbortSignal.any([signal, closing.signal]),
    table: createNodeTable(deps.changed),
    state: { state: 'connecting' },
    session: undefined,
    fingerprint: undefined,
    failures: 0,
    changes: 0,
    wakeUp: () => undefined,
  };
  const ended = run(connection);
  return {
    state: () => connection.state,
    nodes: connection.table,
    client: guardedClient(cluster, () => currentRemote(connection)),
    recheck: () => recheck(connection),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await ended;
    },
  };
}

async function run(connection: Connection): Promise<void> {
  const { ends, log, deps } = connection;
  while (!ends.aborted) {
    const { changes } = connection;
    let delayMs: number;
    try {
      delayMs = await attempt(connection, changes);
    } catch (error) {
      connection.failures++;
      delayMs = backOffMs(connection.failures, RETRY, deps.random);
      log.debug('workload.secret.failed', { failures: connection.failures, error: errorText(error) });
    }
    const isAwake = ends.aborted || connection.changes !== changes;
    if (delayMs > 0 && !isAwake) await rest(connection, delayMs);
  }
}

/**
 * Read the kubeconfig and use it until that fails.
 *
 * @param changes that were told before
 * @returns after how long to do it again
 */
async function attempt(connection: Connection, changes: number): Promise<number> {
  const { deps, cluster, table } = connection;
  const found = await readSecretAccess(deps.client, cluster);
  if (found?.fingerprint !== connection.fingerprint) connection.failures = 0;
  connection.fingerprint = found?.fingerprint;
  if (found === undefined) {
    table.forget();
    become(connection, { state: 'noKubeconfig' });
    return SECRET_POLL_MS;
  }
  if (connection.state.state === 'noKubeconfig') become(connection, { state: 'connecting' });
  let access: ClusterAccess | undefined;
  try {
    access = found.read();
    await use(connection, access, changes);
    return 0;
  } catch (error) {
    return failed(connection, error, access?.server ?? '');
  }
}

async function use(connection: Connection, access: ClusterAccess, changes: number): Promise<void> {
  const { clock, random, gate } = connection.deps;
  const listed = (): void => {
    connection.failures = 0;
    become(connection, { state: 'reachable' });
  };
  const { table, ends } = connection;
  connection.session = openWorkloadSession(access, { clock, random, gate, table, listed }, ends);
  if (connection.changes !== changes) compare(connection, connection.session);
  await connection.session.ended;
  connection.session = undefined;
}

function failed(connection: Connection, error: unknown, server: string): number {
  const { session, deps, log, state } = connection;
  connection.session = undefined;
  connection.failures++;
  const cause = error instanceof SilentApi ? error.cause : error;
  const isInvalid = isBloomeryError(cause, 'BLM_KUBECONFIG_INVALID');
  const why = isInvalid ? cause.message : workloadFailureText(cause, server);
  log.debug('workload.failed', { failures: connection.failures, why, error: errorText(cause) });
  // An API that restarts or moves to another host ends its watches first: one more attempt before it is called dead.
  const isCertain = session?.isListed() !== true || error instanceof SilentApi;
  const nowMs = deps.clock.nowMs();
  const sinceMs = state.state === 'unreachable' ? state.sinceMs : nowMs;
  if (isCertain) become(connection, { state: 'unreachable', sinceMs, why });
  return backOffMs(connection.failures, nowMs - sinceMs < SOON_MS ? RETRY_SOON : RETRY, deps.random);
}

function become(connection: Connection, next: WorkloadState): void {
  const { state, log, deps } = connection;
  if (next.state === state.state && whyOf(next) === whyOf(state)) return;
  connection.state = next;
  log.info('workload.state', { state: next.state, was: state.state, why: whyOf(next) });
  deps.changed(undefined);
}

function whyOf(state: WorkloadState): string | undefined {
  return state.state === 'unreachable' ? state.why : undefined;
}

function currentRemote({ session, state }: Connection): CurrentRemote | string {
  if (session?.isListed() === true) {
    return { remote: session.remote, server: session.access.server, doubt: session.doubt };
  }
  if (state.state === 'unreachable') return state.why;
  return state.state === 'noKubeconfig' ? 'it has no kubeconfig yet' : 'the connection is being made';
}

/** Sleeps, but not through a change of the Secret. */
async function rest(connection: Connection, delayMs: number): Promise<void> {
  const woken = new AbortController();
  const end = (): void => woken.abort();
  connection.wakeUp = end;
  connection.ends.addEventListener('abort', end, { once: true });
  await connection.deps.clock.sleep(delayMs, woken.signal);
  connection.ends.removeEventListener('abort', end);
}

function recheck(connection: Connection): void {
  connection.changes++;
  connection.wakeUp();
  if (connection.session !== undefined) compare(connection, connection.session);
}

/** Stop a session whose kubeconfig is not that of the Secret any more. */
function compare({ deps, cluster, log, fingerprint }: Connection, session: WorkloadSession): void {
  readSecretAccess(deps.client, cluster).then(
    (found) => {
      if (found?.fingerprint !== fingerprint) session.stop();
    },
    (error) => log.debug('workload.secret.failed', { error: errorText(error) }),
  );
}
