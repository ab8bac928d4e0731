import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { Readable } from 'node:stream';
import { BloomeryError } from '@bloomery/ports';
import type { Fetch } from './asset-download.ts';

const MAX_REDIRECTS = 5;
/** A server that sends nothing for so long is given up; the download is resumed later. */
const SILENCE_MS = 60_000;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

/**
 * Fetch for downloads through node:http. Node's own `fetch` ends the whole process by an assertion when a server closes the
 * connection while the body is read slower than it comes (Node 24.21: `assert(!this.paused)`), which any web server can cause.
 *
 * @param env where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are read from
 */
export function createHttpFetch(env: Readonly<Record<string, string | undefined>>): Fetch {
  const agents = { http: new HttpAgent({ proxyEnv: { ...env } }), https: new HttpsAgent({ proxyEnv: { ...env } }) };
  return async (url, init) => {
    let target = url;
    for (let redirects = 0; ; redirects++) {
      const answer = await requestOnce(target, init, agents);
      const status = answer.statusCode ?? 0;
      const { location } = answer.headers;
      if (status < 300 || status > 399 || location === undefined) return responseOf(answer, status);
      answer.destroy();
      if (redirects === MAX_REDIRECTS) throw refused(url, `more than ${MAX_REDIRECTS} redirects`);
      target = new URL(location, target).href;
    }
  };
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

function requestOnce(url: string, init: Parameters<Fetch>[1], agents: Agents): Promise<IncomingMessage> {
  const { protocol } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw refused(url, `${protocol} is neither http: nor https:`);
  return new Promise((resolve, reject) => {
    const options = { headers: init.headers, signal: init.signal, timeout: SILENCE_MS };
    const request =
      protocol === 'https:'
        ? httpsGet(url, { ...options, agent: agents.https }, resolve)
        : httpGet(url, { ...options, agent: agents.http }, resolve);
    request.on('timeout', () => request.destroy(refused(url, `silent for ${SILENCE_MS / 1000} s`)));
    request.on('error', reject);
  });
}

function responseOf(answer: IncomingMessage, status: number): Response {
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
  if (!WITHOUT_BODY.has(status)) return new Response(Readable.toWeb(answer) as ReadableStream, { status, headers });
  answer.resume();
  return new Response(null, { status, headers });
}

function refused(url: string, why: string): BloomeryError {
  return new BloomeryError('BLM_ASSET_DOWNLOAD', `downloading ${url}: ${why}`, { retryable: true, facts: { url } });
}
