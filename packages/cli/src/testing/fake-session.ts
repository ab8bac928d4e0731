import type { ApiCall } from '@bloomery/kube';
import { createMemoryClient, type MemoryClientOptions } from '@bloomery/kube/testing';
import { createFakeClock, type FakeClock } from '@bloomery/ports';
import type { TextOutput } from '../cli-deps.ts';
import type { Session } from '../session.ts';

/** A session on an API in memory, with everything that was printed. */
export interface FakeSession extends Session {
  readonly out: () => string;
  readonly err: () => string;
  readonly clock: FakeClock;
}

/** Make a FakeSession. `answer` and `lines` stand for the HTTP side of the API: tables, streams and the like. */
export function createFakeSession(
  objects: NonNullable<MemoryClientOptions['objects']>,
  answer: (call: ApiCall) => unknown = () => ({}),
  lines: (call: ApiCall) => AsyncIterable<string> = async function* () {},
): FakeSession {
  const [out, err] = [collect(), collect()];
  const clock = createFakeClock(Date.parse('2026-01-01T12:00:00Z'));
  const transport = {
    send: async (call: ApiCall) => JSON.stringify(answer(call)),
    lines,
    [Symbol.asyncDispose]: async () => {},
  };
  const client = { ...createMemoryClient({ objects, clock }), transport, [Symbol.asyncDispose]: async () => {} };
  return {
    client,
    clock,
    access: { server: 'https://127.0.0.1:1', namespace: 'default' },
    namespace: 'default',
    deps: {
      env: {},
      stdout: out,
      stderr: err,
      clock,
      version: '0.0.0',
      signal: new AbortController().signal,
    },
    out: out.text,
    err: err.text,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** An output that remembers. */
export function collect(): TextOutput & { readonly text: () => string } {
  const parts: string[] = [];
  return { write: (text) => void parts.push(text), isTerminal: false, text: () => parts.join('') };
}
