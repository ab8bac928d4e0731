import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually, peer } from './peer-process.ts';

/** SideroLink on the upstream Go module: nodes, loads and the upstream agent (test/peers/siderolink-node). */
export const LINK_PEER = peer('siderolink-node');

/** One JSON line that the peer wrote. */
export type PeerFact = Readonly<Record<string, unknown>>;

/** A running sub-command. */
export interface LinkPeer {
  /** Everything it said so far, answers included. */
  readonly facts: readonly PeerFact[];
  /** Give it an order and wait for the answer. @throws when it ends instead. */
  ask(order: Readonly<Record<string, unknown>> & { readonly do: string }): Promise<PeerFact>;
  /** Wait for the first fact that passes, from the beginning on or from this index on. */
  told(what: string, passes: (fact: PeerFact) => boolean, from?: number): Promise<PeerFact>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Start a sub-command of the peer, also in a namespace (`within` is put before the command line). */
export function startLinkPeer(args: readonly string[], within: readonly string[] = []): LinkPeer {
  const [program = LINK_PEER.path, ...rest] = [...within, LINK_PEER.path, ...args];
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const facts: PeerFact[] = [];
  const answers = new Map<number, (fact: PeerFact) => void>();
  let stderr = '';
  let ids = 0;
  child.stdin.on('error', () => {});
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-20_000);
  });
  createInterface(child.stdout).on('line', (line) => {
    const fact: PeerFact = line.startsWith('{') ? JSON.parse(line) : { text: line };
    facts.push(fact);
    const id = fact['id'];
    if (fact['re'] === undefined || typeof id !== 'number') return;
    answers.get(id)?.(fact);
    answers.delete(id);
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const last = (): string =>
    `${stderr}\n${facts
      .slice(-20)
      .map((fact) => JSON.stringify(fact))
      .join('\n')}`;
  return {
    facts,
    exited,
    ask: async (order) => {
      const id = ++ids;
      const answer = new Promise<PeerFact>((resolve) => answers.set(id, resolve));
      child.stdin.write(`${JSON.stringify({ ...order, id })}\n`);
      const gone = exited.then(() => undefined);
      const first = await Promise.race([answer, gone]);
      if (first === undefined) throw new Error(`the peer ended instead of doing "${order.do}": ${last()}`);
      return first;
    },
    told: (what, passes, from = 0) => eventually(what, () => facts.slice(from).find(passes), last),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await exited;
    },
  };
}
