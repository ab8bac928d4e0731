import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '@bloomery/ports';
import { type CertificateAuthority, loadCertificateAuthority } from '@bloomery/talos';
import { startCredentials } from '../auth/renew-credentials.ts';
import { tokensOfFile } from '../auth/token-file.ts';
import { listenApi } from '../http/listen.ts';
import type { ListenLimits } from '../http/listen-limits.ts';
import type { ClientIdentity } from './client-identity.ts';
import { startTestApi, type TestApi } from './test-api.ts';

export { type ClientIdentity, identityOf } from './client-identity.ts';

/** What a caller of HTTP/1.1 got. */
export interface PlainAnswer {
  readonly code: number;
  readonly body: string;
}

/** A whole API behind a real TLS listener. */
export interface TestListener extends AsyncDisposable {
  readonly api: TestApi;
  readonly port: number;
  readonly caPem: string;
  readonly admin: ClientIdentity;
  /** The token of the token file. */
  readonly token: string;
  readonly authority: CertificateAuthority;
  /** One request over HTTP/1.1 on a connection of its own. */
  call(method: string, path: string, options?: CallOptions): Promise<PlainAnswer>;
  /** A session of HTTP/2. */
  session(identity?: ClientIdentity): ClientHttp2Session;
  close(): Promise<void>;
}

/** How to call. */
export interface CallOptions {
  readonly identity?: ClientIdentity;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Start an API on a free port of the loopback interface. */
export async function startTestListener(limits: Partial<ListenLimits> = {}): Promise<TestListener> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-listen-'));
  const deps = { clock: systemClock, log: silentLog };
  const credentials = await startCredentials({ dir, names: () => ['127.0.0.1'] }, deps);
  const { current } = credentials;
  const pki = (name: string): string => readFileSync(join(dir, 'pki', name), 'utf8');
  const token = pki('tokens.csv').split(',')[0] ?? '';
  const authority = loadCertificateAuthority(pki('ca.crt'), pki('ca.key'));
  const api = await startTestApi([], silentLog, {
    staticTokens: tokensOfFile(current.tokenFile, systemClock, silentLog),
  });
  const { handle, authenticator } = api;
  const service = await listenApi(
    { host: '127.0.0.1', port: 0 },
    { ...deps, handle, credentials, authenticator, limits },
  );
  const { port } = service.address;
  const ca = current.caPem;
  const close = (): Promise<void> => Promise.resolve(service[Symbol.asyncDispose]());
  return {
    api,
    port,
    caPem: ca,
    admin: { cert: current.adminCertificatePem, key: current.adminKeyPem },
    token,
    authority,
    call: (method, path, { identity, token: bearer, headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
        const options = { host: '127.0.0.1', port, method, path, ca, agent: false, ...identity };
        const request = httpsRequest({ ...options, headers: { ...headers, ...authorization } }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ code: response.statusCode ?? 0, body: text }));
          response.on('error', reject);
        });
        request.on('error', reject);
        request.end(body);
      }),
    session: (identity = {}) => connect(`https://127.0.0.1:${port}`, { ca, ...identity }),
    close,
    async [Symbol.asyncDispose]() {
      credentials.stop();
      await close();
      await api[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
