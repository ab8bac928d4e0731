import type { ClientRequest, IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { errorText } from '@bloomery/ports';
import type { Address } from './resolve-service.ts';
import type { WebhookEndpoint } from './webhook-endpoint.ts';
import { connectionFailureText } from './webhook-failure.ts';

/** A POST of JSON to one address of a webhook. */
export interface Post {
  readonly agent: Agent;
  readonly endpoint: WebhookEndpoint;
  readonly address: Address;
  readonly body: Buffer;
  readonly maxAnswerBytes: number;
  /** Aborts when the time is over. */
  readonly signal: AbortSignal;
}

/** What came of it: a whole answer, no connection, a connection lost before the answer began, or an answer that broke off. */
export type RawAnswer = WholeAnswer | { readonly kind: 'unconnected' | 'lost' | 'broken'; readonly why: string };

/** An answer that came to its end. */
export interface WholeAnswer {
  readonly kind: 'whole';
  readonly code: number;
  readonly type: string | undefined;
  readonly text: string;
}

const TOO_LATE = 'context deadline exceeded';

/** Send it. A kept connection that the webhook had closed meanwhile is replaced by a fresh one, once. Never throws. */
export async function postOnce(post: Post): Promise<RawAnswer> {
  const first = await attempt(post);
  return first.stale && !post.signal.aborted ? (await attempt(post)).answer : first.answer;
}

async function attempt(post: Post): Promise<{ readonly answer: RawAnswer; readonly stale: boolean }> {
  const { signal, address } = post;
  if (signal.aborted) return { answer: { kind: 'lost', why: TOO_LATE }, stale: false };
  const { promise, resolve } = Promise.withResolvers<{ readonly answer: RawAnswer; readonly stale: boolean }>();
  const settle = (answer: RawAnswer, stale = false): void => resolve({ answer, stale });
  let connected = false;
  let answering = false;
  let request: ClientRequest;
  try {
    request = open(post, (response) => {
      answering = true;
      readAnswer(response, post).then((answer) => {
        if (answer.kind !== 'whole') request.destroy();
        settle(answer);
      });
    });
  } catch (error) {
    return { answer: { kind: 'lost', why: `unable to load root certificates: ${errorText(error)}` }, stale: false };
  }
  const onAbort = (): void => {
    if (!answering) settle({ kind: 'lost', why: TOO_LATE });
    request.destroy();
  };
  request.on('socket', (socket) => {
    // A kept connection is there already.
    if (request.reusedSocket) connected = true;
    else
      socket.once('secureConnect', () => {
        connected = true;
      });
  });
  request.on('error', (error: NodeJS.ErrnoException) => {
    const why = connectionFailureText(error, address.host, address.port);
    const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    settle({ kind: connected ? 'lost' : 'unconnected', why }, stale);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  request.end(post.body);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function open(
  { agent, endpoint, address, body }: Post,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const { serverName, authority, path, caPem } = endpoint;
  const headers = {
    host: authority,
    'content-type': 'application/json',
    'content-length': String(body.length),
    accept: 'application/json, */*',
    'user-agent': 'bloomery-admission',
  };
  // An address is no server name: then the certificate is checked against the address that is connected to.
  const named = isIP(serverName) === 0 ? { servername: serverName } : {};
  const trust = caPem === undefined ? {} : { ca: caPem };
  const { host, port } = address;
  return httpsRequest({ agent, method: 'POST', host, port, path, headers, ...named, ...trust }, onResponse);
}

function readAnswer(response: IncomingMessage, { maxAnswerBytes, signal }: Post): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const chunks: Buffer[] = [];
  let length = 0;
  const broken = (why: string): void =>
    resolve({
      kind: 'broken',
      why: `unexpected error when reading response body. Please retry. Original error: ${why}`,
    });
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxAnswerBytes) broken(`the answer is longer than ${maxAnswerBytes} bytes`);
    else chunks.push(chunk);
  });
  response.on('end', () =>
    resolve({
      kind: 'whole',
      code: response.statusCode ?? 0,
      type: response.headers['content-type'],
      text: Buffer.concat(chunks).toString('utf8'),
    }),
  );
  response.on('error', (error) => broken(signal.aborted ? TOO_LATE : error.message));
  response.on('aborted', () => broken(signal.aborted ? TOO_LATE : 'unexpected EOF'));
  signal.addEventListener('abort', () => broken(TOO_LATE), { once: true });
  return promise;
}
