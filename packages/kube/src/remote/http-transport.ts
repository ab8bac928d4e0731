import * as http from 'node:http';
import * as https from 'node:https';
import { createSecureContext } from 'node:tls';
import { isJsonObject, type Json, parseJson } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import { apiError } from '../api-error.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** One call of the API. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, from `/`. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** HTTP to one API server, with kept-alive connections. */
export interface ApiTransport extends AsyncDisposable {
  /** The whole answer, as text. */
  send(call: ApiCall): Promise<string>;
  /** The answer line by line. Ends when the server closes it or the signal aborts. */
  lines(call: ApiCall): AsyncIterable<string>;
}

/** Bounds of a transport. */
export interface ApiTransportOptions {
  /** How long a call may take; 30 s unless given. Streams have no limit but their signal. */
  readonly timeoutMs?: number;
  /** Connections for calls, further calls wait; 32 unless given. */
  readonly maxConnections?: number;
  /** The longest answer to a call; 256 MiB unless given. */
  readonly maxAnswerBytes?: number;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const MAX_SOCKETS = 32;
const MAX_STREAMS = 256;
const KEEP_ALIVE_MS = 15_000;

function statusError(code: number, text: string, call: ApiCall): BloomeryError {
  let status: Json | undefined;
  try {
    status = parseJson(text);
  } catch {
    status = undefined;
  }
  if (isJsonObject(status) && status['kind'] === 'Status') {
    const { message, reason, details } = status;
    return apiError({
      code,
      reason: typeof reason === 'string' ? reason : '',
      message: typeof message === 'string' && message !== '' ? message : `${call.method} ${call.path}: HTTP ${code}`,
      ...(isJsonObject(details) ? { details } : {}),
    });
  }
  return apiError({
    code,
    reason: '',
    message: `${call.method} ${call.path}: HTTP ${code} ${text.slice(0, 200).trim()}`,
  });
}

function unreachable(server: string, call: ApiCall, cause: unknown): BloomeryError {
  return new BloomeryError('BLM_API_UNAVAILABLE', `${call.method} ${server}${call.path}: ${errorText(cause)}`, {
    retryable: true,
    facts: { server },
    cause,
  });
}

async function readAll(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* splitLines(response: http.IncomingMessage): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      parts.push(rest.subarray(0, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      rest = rest.subarray(end + 1);
      if (line.trim() !== '') yield line;
    }
    if (rest.length > 0) parts.push(rest);
    size += rest.length;
    if (size > MAX_LINE_BYTES) throw new Error(`a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
}

/** One TLS context for all connections: certificates and keys are parsed once. */
function tlsOptions(access: ClusterAccess): https.AgentOptions {
  const { ca, cert, key } = access;
  const given = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }) };
  try {
    return {
      secureContext: createSecureContext({ ...given, ...(key === undefined ? {} : { key }) }),
      ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
      rejectUnauthorized: access.insecureSkipTlsVerify !== true,
    };
  } catch (cause) {
    const what = `connecting to ${access.server}: its certificates or key cannot be used: ${errorText(cause)}`;
    throw new BloomeryError('BLM_KUBECONFIG_INVALID', what, { facts: { server: access.server }, cause });
  }
}

/**
 * Connect to the API server of a kubeconfig. Nothing is sent before the first call. Calls time out after 30 s; streams have
 * no limit but the signal. At most 32 connections for calls and 256 for streams; further ones wait. Errors are BLM_API_* as `apiError` makes them.
 *
 * @throws BLM_KUBECONFIG_INVALID when its certificates or its key are damaged or do not fit together.
 */
export function createApiTransport(access: ClusterAccess, options: ApiTransportOptions = {}): ApiTransport {
  const { timeoutMs = TIMEOUT_MS, maxConnections = MAX_SOCKETS, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const base = new URL(access.server);
  const secure = base.protocol === 'https:';
  const tls = secure ? tlsOptions(access) : {};
  const proxyEnv = access.proxyUrl === undefined ? {} : { HTTP_PROXY: access.proxyUrl, HTTPS_PROXY: access.proxyUrl };
  const makeAgent = (maxSockets: number): http.Agent => {
    // What a burst has opened is not kept: with hundreds of clusters idle connections are what costs memory.
    const common = { keepAlive: true, maxSockets, maxFreeSockets: Math.max(1, Math.floor(maxSockets / 4)), proxyEnv };
    return secure ? new https.Agent({ ...common, ...tls }) : new http.Agent(common);
  };
  // Watches hold their connections for long: they must not take them from the calls.
  const calls = makeAgent(maxConnections);
  const streams = makeAgent(MAX_STREAMS);
  const prefix = base.pathname.replace(/\/+$/, '');
  const open = (call: ApiCall, agent: http.Agent, signal: AbortSignal): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(
        {
          agent,
          hostname: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? (secure ? 443 : 80) : base.port,
          method: call.method,
          path: `${prefix}${call.path}`,
          signal,
          headers: {
            accept: call.accept ?? 'application/json',
            'user-agent': 'bloomery',
            ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
            ...(call.body === undefined
              ? {}
              : {
                  'content-type': call.contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(call.body),
                }),
          },
        },
        resolve,
      );
      request.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      request.on('error', reject);
      request.end(call.body);
    });
  const checked = async (response: http.IncomingMessage, call: ApiCall): Promise<http.IncomingMessage> => {
    const code = response.statusCode ?? 0;
    if (code >= 200 && code < 300) return response;
    throw statusError(code, await readAll(response, maxAnswerBytes), call);
  };
  return {
    async send(call) {
      const deadline = AbortSignal.timeout(timeoutMs);
      const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
      try {
        return await readAll(await checked(await open(call, calls, signal), call), maxAnswerBytes);
      } catch (error) {
        if (error instanceof BloomeryError) throw error;
        throw unreachable(access.server, call, deadline.aborted ? `no answer in ${timeoutMs / 1000} s` : error);
      }
    },
    async *lines(call) {
      const stop = new AbortController();
      const signal = call.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, call.signal]);
      try {
        yield* splitLines(await checked(await open(call, streams, signal), call));
      } catch (error) {
        if (call.signal?.aborted === true) return;
        throw error instanceof BloomeryError ? error : unreachable(access.server, call, error);
      } finally {
        stop.abort();
      }
    },
    async [Symbol.asyncDispose]() {
      calls.destroy();
      streams.destroy();
    },
  };
}
