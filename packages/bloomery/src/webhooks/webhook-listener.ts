import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  answerAdmissionReview,
  answerConversionReview,
  type Json,
  type JsonObject,
  type KindDefinition,
  parseJson,
  stringifyJson,
} from '@bloomery/model';
import { errorText, type Listen, type Logger, type Service } from '@bloomery/ports';

export interface WebhookDeps {
  /** Every version of the kinds whose definitions name these webhooks. */
  readonly kinds: readonly KindDefinition[];
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly log: Logger;
}

/** A review carries at most a few objects; kube-apiserver asks for 3 MiB of object at most. */
const BODY_MAX_BYTES = 16 << 20;
const CONNECTIONS_MAX = 256;

/**
 * Serve the webhooks that a real kube-apiserver needs for our kinds: `POST /convert`, `/default` and `/validate`. They answer
 * what the embedded API answers, from the same definitions.
 */
export async function startWebhookListener(listen: Listen, deps: WebhookDeps): Promise<Service> {
  const { kinds, certificate, log } = deps;
  const routes: Readonly<Record<string, (review: Json) => JsonObject>> = {
    '/convert': (review) => answerConversionReview(review, kinds),
    '/default': (review) => answerAdmissionReview(review, kinds, 'default'),
    '/validate': (review) => answerAdmissionReview(review, kinds, 'validate'),
  };
  const server = createServer(
    { ...certificate, minVersion: 'TLSv1.2', requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 8192 },
    (request, response) => {
      const route = routes[request.url?.split('?')[0] ?? ''];
      if (request.method !== 'POST' || route === undefined) {
        plain(response, 404, 'not found; try: POST /convert, /default or /validate\n');
        return;
      }
      answer(request, response, route).catch((error: unknown) => {
        log.warn('webhook.not_answered', { path: request.url ?? '', error: errorText(error) });
        if (!response.headersSent) plain(response, 400, `${errorText(error)}\n`);
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  // One socket must not end the process.
  server.on('error', (error) => log.warn('webhook.failed', { error: errorText(error) }));
  return {
    address: { host: listen.host, port: (server.address() as AddressInfo).port },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  route: (review: Json) => JsonObject,
): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_MAX_BYTES) {
      plain(response, 413, `the body has more than ${BODY_MAX_BYTES} bytes\n`);
      return;
    }
    chunks.push(bytes);
  }
  const body = stringifyJson(route(parseJson(Buffer.concat(chunks).toString('utf8'))));
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
