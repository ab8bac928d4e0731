import { lookup as lookUp } from 'node:dns';
import { connect, isIP, type LookupFunction } from 'node:net';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { ProbeSpec } from '../resources/network-status.ts';
import { sharedLookup } from './shared-lookup.ts';

/** Ask the endpoint of a probe once. @throws BloomeryError BLM_NODE_PROBE when it does not answer, or the signal aborts */
export type AskEndpoint = (spec: ProbeSpec, signal: AbortSignal) => Promise<void>;

/** HTTP answers below this are a success. */
const FIRST_ERROR_STATUS = 400;

/** Connects to it; of HTTP endpoints the answer must be a success, too. Directly: proxies are for what leaves the site. */
export function createAskEndpoint(lookup: LookupFunction = lookUp): AskEndpoint {
  const shared = sharedLookup(lookup);
  return async ({ tcp, http }, signal) => {
    const endpoint = http.endpoint === '' ? tcp.endpoint : http.endpoint;
    try {
      if (http.endpoint === '') await connectTo(endpoint, { signal, lookup: shared });
      else await getFrom(endpoint, { signal, lookup: shared });
    } catch (cause) {
      const message = `asking ${endpoint}: ${errorText(signal.aborted ? signal.reason : cause)}`;
      throw new BloomeryError('BLM_NODE_PROBE', message, { retryable: true, facts: { endpoint }, cause });
    }
  };
}

interface Asking {
  readonly signal: AbortSignal;
  readonly lookup: LookupFunction;
}

/** `host:port` or `[IPv6]:port` in two parts. @returns undefined for anything else */
export function hostAndPort(endpoint: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^:[\]\s]{1,255})):(\d{1,5})$/.exec(endpoint);
  if (found === null) return undefined;
  const [, v6, name = ''] = found;
  const port = Number(found[3]);
  if (port === 0 || port > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  return { host: v6 ?? name, port };
}

function connectTo(endpoint: string, asking: Asking): Promise<void> {
  const target = hostAndPort(endpoint);
  if (target === undefined) return Promise.reject(new Error('this is no HOST:PORT'));
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, ...asking });
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve();
      socket.destroy();
    });
  });
}

async function getFrom(url: string, asking: Asking): Promise<void> {
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  await new Promise<void>((resolve, reject) => {
    const request = get(url, { ...asking, agent: false }, ({ statusCode = 0 }) => {
      request.destroy();
      if (statusCode > 0 && statusCode < FIRST_ERROR_STATUS) resolve();
      else reject(new Error(`it answered with status ${statusCode}`));
    });
    request.once('error', reject);
  });
}
