import type { IncomingMessage, ServerResponse } from 'node:http';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import type { HttpRoute, MachineAnswer, MachineRequest } from './http-route.ts';

/** Longest request target, in characters. */
const TARGET_MAX = 8_192;

/**
 * Serve routes over HTTP/1.x: GET and HEAD only, no redirects (EDK2 does not follow them), bodies of requests unread.
 * Every request is logged without its query, as that may hold a token.
 */
export function createHttpSurface(
  routes: readonly HttpRoute[],
  log: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const exact = new Map(routes.filter((route) => !route.prefix.endsWith('/')).map((route) => [route.prefix, route]));
  const folders = routes.filter((route) => route.prefix.endsWith('/'));
  folders.sort((a, b) => b.prefix.length - a.prefix.length);
  const find = (path: string): HttpRoute | undefined =>
    exact.get(path) ?? folders.find((route) => path.startsWith(route.prefix));

  return (request, response) => {
    response.on('error', () => {});
    const target = readTarget(request);
    if (target === undefined) return finish(response, { status: 400 }, false);
    const isHead = request.method === 'HEAD';
    if (!isHead && request.method !== 'GET')
      return finish(response, { status: 405, headers: { allow: 'GET, HEAD' } }, false);
    const route = find(target.path);
    if (route === undefined) return finish(response, { status: 404 }, isHead);
    const machineRequest = toMachineRequest(request, response, target);
    const done = (answer: MachineAnswer): void => {
      log.debug('machine_port.request', { path: target.path, address: machineRequest.address, status: answer.status });
      finish(response, answer, isHead);
    };
    const failed = (error: unknown): void => {
      const known = error instanceof BloomeryError ? { code: error.code } : {};
      log.error('machine_port.route_failed', { path: target.path, error: errorText(error), ...known });
      done({ status: 500 });
    };
    try {
      const answer = route.handle(machineRequest);
      if (answer instanceof Promise) answer.then(done, failed);
      else done(answer);
    } catch (error) {
      failed(error);
    }
  };
}

interface Target {
  readonly path: string;
  readonly query: string;
}

function readTarget(request: IncomingMessage): Target | undefined {
  const text = (request.url ?? '').replace(/^https?:\/\/[^/]{0,255}/i, '');
  if (text.length > TARGET_MAX || !text.startsWith('/')) return undefined;
  const at = text.indexOf('?');
  try {
    const path = decodeURIComponent(at < 0 ? text : text.slice(0, at));
    return path.includes('\0') ? undefined : { path, query: at < 0 ? '' : text.slice(at + 1) };
  } catch {
    return undefined;
  }
}

function toMachineRequest(request: IncomingMessage, response: ServerResponse, target: Target): MachineRequest {
  let controller: AbortController | undefined;
  const address = request.socket.remoteAddress ?? '';
  return {
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    path: target.path,
    query: new URLSearchParams(target.query),
    headers: request.headers as MachineRequest['headers'],
    address: address.startsWith('::ffff:') ? address.slice(7) : address,
    get signal() {
      if (controller === undefined) {
        const made = new AbortController();
        controller = made;
        response.once('close', () => made.abort());
      }
      return controller.signal;
    },
  };
}

function finish(response: ServerResponse, answer: MachineAnswer, isHead: boolean): void {
  const { status, headers = {}, body = '' } = answer;
  const stream = typeof body !== 'string' && !(body instanceof Uint8Array);
  if (response.destroyed || response.headersSent) {
    if (stream) void closeStream(body);
    return;
  }
  const { req } = response;
  if (req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined) {
    response.shouldKeepAlive = false;
  }
  const length = stream || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...headers });
  if (!stream) {
    response.end(isHead ? undefined : body);
  } else if (isHead) {
    response.end();
    void closeStream(body);
  } else void pump(response, body);
}

async function pump(response: ServerResponse, body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await drained(response);
    }
    response.end();
  } catch {
    response.destroy();
  }
}

async function closeStream(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}
