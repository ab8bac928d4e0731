import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KindDefinition } from '@bloomery/model';
import { type Clock, type Logger, silentLog, systemClock } from '@bloomery/ports';
import { type ApiEngine, startApiEngine } from '../api-engine.ts';
import { managedWrites } from '../apply/index.ts';
import { type Authenticator, createAuthenticator } from '../auth/authenticate.ts';
import type { StaticTokens } from '../auth/token-file.ts';
import { readSigningKey } from '../auth/tokens/jwt.ts';
import { createServiceAccountTokens, type ServiceAccountTokens } from '../auth/tokens/service-account-tokens.ts';
import { createSigningKeyPem } from '../auth/tokens/signing-key.ts';
import { type ApiHandlerOptions, createApiHandler } from '../http/api-handler.ts';
import { type ApiAnswer, type ApiBody, type ApiRequest, isListPieces } from '../http/api-request.ts';
import { openStore } from '../store/open-store.ts';
import type { ApiCaller } from './conversation.ts';

/** The whole API in process, over a store of its own, called as an administrator. */
export interface TestApi extends AsyncDisposable {
  readonly engine: ApiEngine;
  readonly authenticator: Authenticator;
  readonly accountTokens: ServiceAccountTokens;
  /** The handler itself, for a listener. */
  readonly handle: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly call: ApiCaller;
  /** A request whose answer may be a stream; `user` an administrator unless given. */
  readonly open: (request: Partial<ApiRequest> & { readonly path: string }) => Promise<ApiAnswer>;
}

/** One for all APIs of a test process: making keys takes time. */
const SIGNING_KEY_PEM = createSigningKeyPem();

/** Start an API in a fresh temporary directory, which goes when it is disposed. */
export async function startTestApi(
  kinds: readonly KindDefinition[] = [],
  log: Logger = silentLog,
  options: {
    readonly clock?: Clock;
    readonly keepRevisions?: number;
    readonly keepMs?: number;
    readonly staticTokens?: StaticTokens;
    /** Audit, bounds, metrics, streams of the handler. */
    readonly surface?: Pick<ApiHandlerOptions, 'audit' | 'limits' | 'observer' | 'health' | 'metrics' | 'streams'>;
  } = {},
): Promise<TestApi> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-api-'));
  const { clock = systemClock, staticTokens = () => undefined, surface = {}, ...history } = options;
  const random = (bytes: number): Uint8Array => randomBytes(bytes);
  const store = openStore({ dir, clock, log, random, ...history });
  const engine = await startApiEngine({ store, kinds, clock, log, random, fields: managedWrites });
  const key = readSigningKey(SIGNING_KEY_PEM);
  if (key === undefined) throw new RangeError('a key that was just made cannot be read');
  const accountTokens = createServiceAccountTokens({ store, key, clock, random });
  const authenticator = createAuthenticator({ clock, staticTokens, accountTokens });
  const handle = createApiHandler({
    engine,
    authenticator,
    accountTokens,
    log,
    serverAddress: '127.0.0.1:6443',
    productVersion: '0.0.0',
    ...surface,
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
    authenticator,
    accountTokens,
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

async function textOf(body: ApiBody): Promise<string> {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  if (isListPieces(body)) return [...body.pieces].join('');
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
