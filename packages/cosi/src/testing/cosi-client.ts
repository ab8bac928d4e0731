import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '@bloomery/ports';

/** A resource as the real client of COSI decoded it. `yaml` is its spec as Go's encoder prints it; empty for a tombstone. */
export interface PeerItem {
  readonly id: string;
  readonly version: string;
  readonly phase: string;
  readonly owner: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly yaml: string;
}

/** An event as the real client received it. */
export interface PeerEvent {
  readonly type: string;
  readonly item?: PeerItem;
  readonly old?: PeerItem;
  readonly error?: string;
  /** Base64. */
  readonly bookmark?: string;
}

/** What the client is to do: fields of a `command` of test/peers/cosi-client. */
export interface PeerCommand {
  readonly do: 'get' | 'list' | 'watch' | 'watchKind' | 'destroy';
  readonly namespace: string;
  readonly type: string;
  readonly id?: string;
  readonly idQuery?: string;
  readonly label?: string;
  readonly labelEqual?: readonly [string, string];
  readonly labelLess?: readonly [string, string];
  readonly bootstrap?: boolean;
  readonly noop?: boolean;
  readonly tail?: number;
  readonly bookmark?: string;
  readonly aggregated?: boolean;
}

interface PeerAnswer {
  readonly number: number;
  readonly armed?: boolean;
  readonly error?: string;
  readonly kind?: string;
  readonly items?: readonly PeerItem[];
  readonly events?: readonly PeerEvent[];
}

/** A watch of the real client. */
export interface PeerWatch {
  /** Messages so far: of an aggregated watch several events each. */
  readonly messages: readonly (readonly PeerEvent[])[];
  readonly events: () => readonly PeerEvent[];
  cancel(): Promise<void>;
}

/** The real client of the COSI runtime, as a process. For tests. */
export interface CosiClient extends AsyncDisposable {
  /** @throws Error with the words and the kind of refusal (`notFound`, `bookmark`, `owner`) when it is refused */
  ask(command: PeerCommand): Promise<readonly PeerItem[]>;
  /** Resolves when the watch is armed. @throws Error when it is refused */
  watch(command: PeerCommand): Promise<PeerWatch>;
}

/** Where set-up puts the test peer that is built from test/peers/cosi-client. */
export function cosiClientPath(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery/peers/cosi-client');
}

/** Why tests with the real client are skipped; false when they are not. */
export function cosiClientMissing(): string | false {
  return existsSync(cosiClientPath()) ? false : `${cosiClientPath()} is not built (make setup builds it)`;
}

/** Start the real client for the state at an address. */
export function startCosiClient(address: string): CosiClient {
  const child: ChildProcess = spawn(cosiClientPath(), [address], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, (answer: PeerAnswer) => void>();
  const streams = new Map<number, (readonly PeerEvent[])[]>();
  let number = 0;
  if (child.stdout === null || child.stdin === null) throw new Error('the client has no pipes');
  const { stdin } = child;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as PeerAnswer;
    if (answer.events !== undefined) streams.get(answer.number)?.push(answer.events);
    else waiting.get(answer.number)?.(answer);
  });

  const send = async (command: object): Promise<PeerAnswer> => {
    number += 1;
    const own = number;
    streams.set(own, []);
    let answer: PeerAnswer | undefined;
    waiting.set(own, (received) => {
      answer = received;
    });
    stdin.write(`${JSON.stringify({ number: own, ...command })}\n`);
    const found = await until(`an answer to ${JSON.stringify(command)}`, () => answer, { deadlineMs: 20_000 });
    if (found.error !== undefined) throw new Error(`${found.kind ?? ''}: ${found.error}`);
    return found;
  };

  return {
    ask: async (command) => (await send(command)).items ?? [],
    watch: async (command) => {
      const { number: own } = await send(command);
      const messages = streams.get(own) ?? [];
      return {
        messages,
        events: () => messages.flat(),
        cancel: async () => {
          await send({ do: 'cancel', cancels: own });
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      stdin.end();
      if (child.exitCode === null) await ended;
    },
  };
}
