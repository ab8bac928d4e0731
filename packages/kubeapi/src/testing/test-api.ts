import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KindDefinition } from '@bloomery/model';
import { type Clock, type Logger, silentLog, systemClock } from '@bloomery/ports';
import { type ApiEngine, startApiEngine } from '../api-engine.ts';
import { managedWrites } from '../apply/index.ts';
import type { StaticToken } from '../auth/authenticate.ts';
import { createApiHandler } from '../http/api-handler.ts';
import type { ApiAnswer, ApiRequest } from '../http/api-request.ts';
import { openStore } from '../store/open-store.ts';
import type { ApiCaller } from './conversation.ts';

/** The whole API in process, over a store of its own, called as an administrator. */
export interface TestApi extends AsyncDisposable {
  readonly engine: ApiEngine;
  /** The handler itself, for a listener. */
  readonly handle: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly call: ApiCaller;
  /** A request whose answer may be a stream; `user` an administrator unless given. */
  readonly open: (request: Partial<ApiRequest> & { readonly path: string }) => Promise<ApiAnswer>;
}

/** Start an API in a fresh temporary directory, which goes when it is disposed. */
export async function startTestApi(
  kinds: readonly KindDefinition[] = [],
  log: Logger = silentLog,
  options: {
    readonly clock?: Clock;
    readonly keepRevisions?: number;
    readonly keepMs?: number;
    readonly tokens?: readonly StaticToken[];
  } = {},
): Promise<TestApi> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-api-'));
  const { clock = systemClock, tokens = [], ...history } = options;
  const random = (bytes: number): Uint8Array => randomBytes(bytes);
  const store = openStore({ dir, clock, log, random, ...history });
  const engine = await startApiEngine({ store, kinds, clock, log, random, fields: managedWrites });
  const handle = createApiHandler({
    engine,
    log,
    serverAddress: '127.0.0.1:6443',
    productVersion: '0.0.0',
    tokens,
    notReady: () => [],
  });
  function open(request: Partial<ApiRequest> & { readonly path: string }): Promise<ApiAnswer> {
    const [path = '', query = ''] = request.path.split('?', 2);
    return handle({
      method: 'GET',
      headers: {},
      body: async () => new Uint8Array(),
      user: { name: 'admin', groups: ['system:masters'] },
      signal: new AbortController().signal,
      query: new URLSearchParams(query),
      ...request,
      path,
    });
  }

  return {
    engine,
    handle,
    open,
    async call({ method, path, headers, body }) {
      const answer = await open({ method, path, headers, body: async () => new TextEncoder().encode(body ?? '') });
      return { code: answer.status, body: await textOf(answer.body) };
    },
    async [Symbol.asyncDispose]() {
      engine.stop();
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function textOf(body: string | Uint8Array | AsyncIterable<string>): Promise<string> {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  let text = '';
  for await (const piece of body) text += piece;
  return text;
}
