import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import { createCertificateAuthority } from '@bloomery/talos';
import { part } from './json-caller.ts';
import { identityOf } from './test-listener.ts';

/** What a webhook answers to a review: the `response` without its uid, which is the request's. */
export type ReviewHook = (request: JsonObject) => JsonObject | Promise<JsonObject>;
/** A webhook that writes its answer itself, for those that misbehave. */
export type RawHook = (review: JsonObject, response: ServerResponse, request: IncomingMessage) => void;

/** A webhook server on the loopback interface with an authority of its own. */
export interface WebhookServer extends AsyncDisposable {
  readonly port: number;
  readonly caBundle: string;
  /** `https://127.0.0.1:PORT/PATH` with the authority, for a clientConfig. */
  clientConfig(path: string): JsonObject;
  /** Answer reviews at a path; replaces what was there. */
  on(path: string, hook: ReviewHook): void;
  raw(path: string, hook: RawHook): void;
  /** Requests of reviews that came in at a path, in order. */
  seen(path: string): readonly JsonObject[];
  /** Connections that were opened so far. */
  connections(): number;
  /** Close all connections, as a restart does. */
  dropConnections(): void;
  forget(): void;
}

/** Start a webhook server whose certificate is valid for these names and 127.0.0.1. */
export async function startWebhookServer(names: readonly string[] = []): Promise<WebhookServer> {
  const now = Date.now();
  const authority = await createCertificateAuthority({
    subject: { commonName: 'webhook-ca' },
    algorithm: 'ecdsa-p256',
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + 3_600_000),
  });
  const identity = await identityOf(authority, 'webhook', { usage: 'serverAuth', names: ['127.0.0.1', ...names] });
  const hooks = new Map<string, RawHook>();
  const seen = new Map<string, JsonObject[]>();
  const server = createServer(identity, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url?.split('?')[0] ?? '';
      const hook = hooks.get(path);
      const review = parseJson(Buffer.concat(chunks).toString('utf8') || '{}');
      if (hook === undefined || !isJsonObject(review)) return void response.writeHead(404).end('no such hook');
      const asked = review['request'];
      seen.set(path, [...(seen.get(path) ?? []), isJsonObject(asked) ? asked : {}]);
      hook(review, response, request);
    });
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(authority.certificatePem).toString('base64');
  return {
    port,
    caBundle,
    clientConfig: (path) => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }),
    on: (path, hook) => hooks.set(path, (review, response) => answer(review, response, hook)),
    raw: (path, hook) => hooks.set(path, hook),
    seen: (path) => seen.get(path) ?? [],
    connections: () => connections,
    dropConnections: () => server.closeAllConnections(),
    forget: () => seen.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

async function answer(review: JsonObject, response: ServerResponse, hook: ReviewHook): Promise<void> {
  const request = review['request'];
  const said = await hook(isJsonObject(request) ? request : {});
  sendJson(response, {
    apiVersion: review['apiVersion'],
    kind: review['kind'],
    response: { uid: part(review, 'request', 'uid'), ...said },
  });
}

/** Send a JSON answer with status 200. */
export function sendJson(response: ServerResponse, body: Json | { readonly [name: string]: Json | undefined }): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** The part of an admission response that changes the object by a JSON patch. */
export function patchResponse(patch: readonly JsonObject[]): JsonObject {
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
}
