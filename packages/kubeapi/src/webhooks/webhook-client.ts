import { Agent } from 'node:https';
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '@bloomery/model';
import { type Clock, errorText } from '@bloomery/ports';
import type { Store } from '../store/store.ts';
import type { WebhookClientConfig } from './client-config.ts';
import { postOnce, type RawAnswer, type WholeAnswer } from './post-once.ts';
import { endpointOf, type WebhookEndpoint, webhookUrl } from './webhook-endpoint.ts';
import { refusedAnswerText, webhookFailure } from './webhook-failure.ts';

/** One question to a webhook. */
export interface WebhookQuestion {
  readonly config: WebhookClientConfig;
  readonly body: JsonObject;
  /** For the whole exchange, whole seconds. */
  readonly timeoutSeconds: number;
  /** A longer answer is refused. */
  readonly maxAnswerBytes: number;
}

/** Asks webhooks over HTTPS: TLS 1.2 or newer, no redirects, connections kept for the next question. */
export interface WebhookClient {
  /** The answer's JSON object. @throws BloomeryError BLM_API_WEBHOOK_FAILED with the reason in kube-apiserver's words. */
  ask(question: WebhookQuestion): Promise<JsonObject>;
  /** Ends all connections. */
  close(): void;
}

/** Connections to one webhook at a time; further questions wait within their timeout. */
const MAX_CONNECTIONS_EACH = 64;
const MAX_IDLE_EACH = 8;
const IDLE_MS = 90_000;
/** Addresses of one Service that a question tries. */
const MAX_TRIES = 3;

/** Make a client. Services are looked up in the store. */
export function createWebhookClient(store: Store, clock: Clock): WebhookClient {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: MAX_CONNECTIONS_EACH,
    maxFreeSockets: MAX_IDLE_EACH,
    timeout: IDLE_MS,
    minVersion: 'TLSv1.2',
  });
  let turn = 0;

  async function answerOf(endpoint: WebhookEndpoint, question: WebhookQuestion): Promise<RawAnswer> {
    const deadline = new AbortController();
    const cancel = clock.after(question.timeoutSeconds * 1000, () => deadline.abort());
    const body = Buffer.from(stringifyJson(question.body));
    const { maxAnswerBytes } = question;
    const { addresses } = endpoint;
    const tries = Math.min(addresses.length, MAX_TRIES);
    // The next question begins with the next address: the load spreads, and one that is down is not asked first for ever.
    const first = turn++ % addresses.length;
    try {
      for (let i = 0; ; i++) {
        const address = addresses[(first + i) % addresses.length] ?? { host: endpoint.serverName, port: 443 };
        const answer = await postOnce({ agent, endpoint, address, body, maxAnswerBytes, signal: deadline.signal });
        if (answer.kind !== 'unconnected' || i + 1 >= tries || deadline.signal.aborted) return answer;
      }
    } finally {
      cancel();
    }
  }

  return {
    async ask(question) {
      const { config, timeoutSeconds } = question;
      const post = `Post ${JSON.stringify(webhookUrl(config, timeoutSeconds))}`;
      let endpoint: WebhookEndpoint;
      try {
        endpoint = endpointOf(store, config, timeoutSeconds);
      } catch (error) {
        throw webhookFailure(`${post}: ${errorText(error)}`, error);
      }
      const answer = await answerOf(endpoint, question);
      if (answer.kind === 'whole') return jsonOf(answer);
      throw webhookFailure(answer.kind === 'broken' ? answer.why : `${post}: ${answer.why}`);
    },
    close: () => agent.destroy(),
  };
}

function jsonOf({ code, type, text }: WholeAnswer): JsonObject {
  if (code < 200 || code > 299) throw webhookFailure(statusMessage(text) ?? refusedAnswerText(code, text));
  if (text === '')
    throw webhookFailure(`0-length response with status code: ${code} and content type: ${type ?? 'application/json'}`);
  let value: Json;
  try {
    value = parseJson(text);
  } catch (error) {
    throw webhookFailure(`couldn't get version/kind; json parse error: ${errorText(error)}`, error);
  }
  if (isJsonObject(value)) return value;
  throw webhookFailure("couldn't get version/kind; json parse error: the answer is no JSON object");
}

function statusMessage(text: string): string | undefined {
  try {
    const value = parseJson(text);
    if (!isJsonObject(value) || value['kind'] !== 'Status') return undefined;
    return typeof value['message'] === 'string' ? value['message'] : undefined;
  } catch {
    // Any text may come with an error code; it is quoted as it is.
    return undefined;
  }
}
