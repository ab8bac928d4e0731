import { type ClusterAccess, createRemoteClient, type RemoteClient } from '@bloomery/kube';
import { type Node, node } from '@bloomery/model';
import { type Clock, isBloomeryError } from '@bloomery/ports';
import type { ConnectGate } from './connect-gate.ts';
import type { NodeTable } from './node-table.ts';
import { isAnswer } from './workload-failure.ts';

export interface SessionDeps {
  readonly clock: Clock;
  /** 0 ≤ r < 1, so that many sessions do not ask at the same moment. */
  readonly random: () => number;
  readonly gate: ConnectGate;
  /** Where the Nodes go. */
  readonly table: NodeTable;
  /** Called when all Nodes are in the table. */
  readonly listed: () => void;
}

/** The use of one kubeconfig until it fails: Nodes are listed and watched, and a silent API is asked whether it lives. */
export interface WorkloadSession {
  readonly access: ClusterAccess;
  readonly remote: RemoteClient;
  /** All Nodes have been in the table once. */
  isListed(): boolean;
  /** A call got no answer: ask for a sign of life now. */
  doubt(): void;
  stop(): void;
  /** Resolves when it was stopped, rejects with what ended it. Everything is closed then. */
  readonly ended: Promise<void>;
}

/** A stopped process keeps its TCP connections up: a connection that was silent for so long is asked. */
const SILENCE_MS = 15_000;
const MIN_PAUSE_MS = 100;
const CALL_MS = 10_000;
const BOUNDS = { timeoutMs: CALL_MS, maxConnections: 4, maxAnswerBytes: 32 * 1024 * 1024 };
const PAGE_SIZE = 500;
/** A watch that ends sooner than this was refused rather than used up. */
const SHORT_WATCH_MS = 1000;

interface Parts extends SessionDeps {
  readonly remote: RemoteClient;
  readonly signal: AbortSignal;
  heardMs: number;
  isListed: boolean;
  /** Ends the wait of the guard. */
  doubt: () => void;
}

/** @throws BLM_KUBECONFIG_INVALID when its certificates cannot be used; all else ends the session. */
export function openWorkloadSession(access: ClusterAccess, deps: SessionDeps, signal: AbortSignal): WorkloadSession {
  const remote = createRemoteClient(access, BOUNDS);
  const stop = new AbortController();
  let isWanted = true;
  const end = (): void => stop.abort();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const { clock } = deps;
  const parts: Parts = {
    ...deps,
    remote,
    signal: stop.signal,
    heardMs: clock.nowMs(),
    isListed: false,
    doubt: () => undefined,
  };
  const run = async (): Promise<void> => {
    // Whichever fails first ends the other.
    const both = [follow(parts), guard(parts)];
    try {
      await Promise.race(both).finally(end);
    } finally {
      signal.removeEventListener('abort', end);
      // First, so that nobody waits for the answer to a list of an API that hangs.
      await remote[Symbol.asyncDispose]();
      await Promise.allSettled(both);
    }
  };
  const ended = run().catch((error) => {
    if (isWanted && !signal.aborted) throw error;
  });
  return {
    access,
    remote,
    isListed: () => parts.isListed,
    doubt: () => parts.doubt(),
    stop() {
      isWanted = false;
      end();
    },
    ended,
  };
}

async function follow(parts: Parts): Promise<void> {
  const { clock, gate, signal } = parts;
  let position: string | undefined;
  while (!signal.aborted) {
    position ??= await gate.run(() => fill(parts));
    const startedMs = clock.nowMs();
    try {
      position = await watch(parts, position);
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_EXPIRED')) throw error;
      position = undefined;
    }
    // Without this a server that closes each watch at once would be asked in a tight loop.
    if (clock.nowMs() - startedMs < SHORT_WATCH_MS) await clock.sleep(SHORT_WATCH_MS, signal);
  }
}

async function fill(parts: Parts): Promise<string> {
  // Others had their turn first, and we may have been stopped meanwhile.
  parts.signal.throwIfAborted();
  const nodes: Node[] = [];
  let next: string | undefined;
  let position: string;
  do {
    const more = next === undefined ? {} : { continue: next };
    const page = await parts.remote.list(node, { limit: PAGE_SIZE, ...more });
    nodes.push(...page.items);
    position = page.resourceVersion;
    next = page.continue;
  } while (next !== undefined && next !== '');
  parts.heardMs = parts.clock.nowMs();
  parts.table.replace(nodes);
  parts.isListed = true;
  parts.listed();
  return position;
}

async function watch(parts: Parts, from: string): Promise<string> {
  const { remote, signal, table, clock } = parts;
  let position = from;
  for await (const event of remote.watch(node, { resourceVersion: from, signal })) {
    parts.heardMs = clock.nowMs();
    if (event.type === 'BOOKMARK') position = event.resourceVersion;
    else {
      position = event.object.metadata.resourceVersion ?? position;
      if (event.type === 'DELETED') table.remove(event.object);
      else table.put(event.object);
    }
  }
  return position;
}

/** Asks an API that has been silent for a while for a sign of life. Any answer is one. */
async function guard(parts: Parts): Promise<void> {
  const { clock, remote, signal } = parts;
  while (!signal.aborted) {
    const doubted = new AbortController();
    parts.doubt = () => doubted.abort();
    const silenceMs = Math.round(SILENCE_MS * (1 + parts.random() / 8));
    const leftMs = Math.max(MIN_PAUSE_MS, parts.heardMs + silenceMs - clock.nowMs());
    await clock.sleep(leftMs, AbortSignal.any([signal, doubted.signal]));
    const isSilent = doubted.signal.aborted || clock.nowMs() - parts.heardMs >= SILENCE_MS;
    // Listing has a deadline of its own.
    if (!parts.isListed) parts.heardMs = clock.nowMs();
    if (signal.aborted || !parts.isListed || !isSilent) continue;
    try {
      await remote.transport.send({ method: 'GET', path: '/livez', accept: '*/*', signal });
    } catch (error) {
      if (!isBloomeryError(error) || !isAnswer(error)) throw new SilentApi(error);
    }
    parts.heardMs = clock.nowMs();
  }
}

/** The API gave no sign of life: no attempt is needed to know it. */
export class SilentApi extends Error {
  constructor(cause: unknown) {
    super('no sign of life', { cause });
  }
}
