import assert from 'node:assert/strict';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import type { WebhookKind } from '../webhooks/webhook-index.ts';
import type { JsonAnswer } from './json-caller.ts';
import { startTestApi, type TestApi } from './test-api.ts';
import { startWebhookServer, type WebhookServer } from './webhook-server.ts';

/** An answer with its warnings. */
export interface LabAnswer extends JsonAnswer {
  readonly warnings: readonly string[];
  readonly message: string;
}

/** An API and a webhook server beside it. */
export interface WebhookLab extends AsyncDisposable {
  readonly api: TestApi;
  readonly hooks: WebhookServer;
  readonly call: (method: string, path: string, body?: Json, contentType?: string) => Promise<LabAnswer>;
  /** A webhook of a configuration: ConfigMaps, all operations, unless more is said. `path` is the one at the server. */
  readonly hook: (path: string, more?: JsonObject) => JsonObject;
  /** Store a configuration of these webhooks; must be accepted. */
  readonly configure: (kind: WebhookKind, webhooks: readonly JsonObject[], name?: string) => Promise<void>;
  /** Delete all configurations and forget what the server saw. */
  readonly reset: () => Promise<void>;
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const KINDS = { mutating: 'Mutating', validating: 'Validating' } as const;

/** Path of ConfigMaps in the default namespace, and the merge patch type. */
export const MAPS = '/api/v1/namespaces/default/configmaps';
export const MERGE = 'application/merge-patch+json';

/** Start both. @param names further names of the server's certificate. */
export async function startWebhookLab(names: readonly string[] = []): Promise<WebhookLab> {
  const api = await startTestApi();
  const hooks = await startWebhookServer(names);
  let configured = 0;
  const call: WebhookLab['call'] = async (method, path, body, contentType = 'application/json') => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'user-agent': 'test/1', 'content-type': contentType };
    const answer = await api.open({ method, path, headers, body: async () => new TextEncoder().encode(text) });
    const whole = answer.body instanceof Uint8Array ? Buffer.from(answer.body).toString() : answer.body;
    assert.ok(typeof whole === 'string', 'a short answer is one text');
    const parsed = /^\s*\{/.test(whole) ? parseJson(whole) : {};
    const json = isJsonObject(parsed) ? parsed : {};
    const warnings: unknown = answer.headers['warning'] ?? [];
    return {
      code: answer.status,
      body: json,
      warnings: Array.isArray(warnings) ? warnings.map(String) : [String(warnings)],
      message: String(json['message'] ?? ''),
    };
  };
  return {
    api,
    hooks,
    call,
    hook: (path, more = {}) => ({
      name: 'hook.test.dev',
      clientConfig: hooks.clientConfig(path),
      rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      ...more,
    }),
    async configure(kind, webhooks, name = `config-${configured++}`) {
      const body = { kind: `${KINDS[kind]}WebhookConfiguration`, metadata: { name }, webhooks };
      const answer = await call('POST', `${ADMISSION}/${kind}webhookconfigurations`, body);
      assert.equal(answer.code, 201, answer.message);
    },
    async reset() {
      for (const kind of Object.keys(KINDS)) await call('DELETE', `${ADMISSION}/${kind}webhookconfigurations`);
      hooks.forget();
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await hooks[Symbol.asyncDispose]();
    },
  };
}
