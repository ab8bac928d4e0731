import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { MAPS, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';
import { type RawHook, sendJson } from '../testing/webhook-server.ts';

const FAILED = 'Internal error occurred: failed calling webhook "hook.test.dev": ';
const CALL = `${FAILED}failed to call webhook: `;
const INVALID = `${FAILED}received invalid webhook response: `;

/** A review that answers a review, with a response of its own. */
const answering =
  (response: JsonObject | undefined, envelope: JsonObject = {}): RawHook =>
  (review, reply) =>
    sendJson(reply, { apiVersion: review['apiVersion'], kind: review['kind'], response, ...envelope });
const uidOf = (review: JsonObject): JsonObject => ({ uid: Object(review['request']).uid });

describe('a webhook that fails', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
    lab.hooks.on('/allow', () => ({ allowed: true }));
  });
  afterEach(() => lab.reset());
  after(() => lab[Symbol.asyncDispose]());

  const url = (path = '/raw', seconds = 1): string => `https://127.0.0.1:${lab.hooks.port}${path}?timeout=${seconds}s`;
  const broken: [name: string, hook: RawHook, message: () => string][] = [
    [
      'with an error',
      (_, reply) => reply.writeHead(500).end('oops'),
      () => `${CALL}an error on the server ("oops") has prevented the request from succeeding`,
    ],
    [
      'with not found',
      (_, reply) => reply.writeHead(404).end('x'),
      () => `${CALL}the server could not find the requested resource`,
    ],
    [
      'with a Status',
      (_, reply) => reply.writeHead(403).end(JSON.stringify({ kind: 'Status', message: 'not you' })),
      () => `${CALL}not you`,
    ],
    [
      'with a redirect, which is not followed',
      (_, reply) => reply.writeHead(302, { location: '/allow' }).end(),
      () => `${CALL}the server answered 302 with a redirect, which webhooks may not`,
    ],
    [
      'with nothing',
      (_, reply) => reply.writeHead(200).end(),
      () => `${CALL}0-length response with status code: 200 and content type: application/json`,
    ],
    [
      'with a list',
      (_, reply) => sendJson(reply, []),
      () => `${CALL}couldn't get version/kind; json parse error: the answer is no JSON object`,
    ],
    ['with an empty object', (_, reply) => sendJson(reply, {}), () => `${INVALID}webhook response was absent`],
    ['without a response', answering(undefined), () => `${INVALID}webhook response was absent`],
    [
      'as another kind',
      (review, reply) => answering({ ...uidOf(review), allowed: true }, { kind: 'Pod' })(review, reply, Object(null)),
      () =>
        `${INVALID}expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1, Kind=Pod`,
    ],
    [
      'as no kind',
      (review, reply) => sendJson(reply, { response: { ...uidOf(review), allowed: true } }),
      () => `${INVALID}expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=`,
    ],
    [
      'with a patch though it only judges',
      (review, reply) =>
        answering({ ...uidOf(review), allowed: true, patch: 'W10=', patchType: 'JSONPatch' })(
          review,
          reply,
          Object(null),
        ),
      () => `${INVALID}validating webhook may not return response.patch`,
    ],
    ['by hanging', () => undefined, () => `${CALL}Post "${url()}": context deadline exceeded`],
    [
      'by an answer that does not end',
      (_, reply) => {
        reply.writeHead(200);
        reply.write('{"ki');
      },
      () =>
        `${CALL}unexpected error when reading response body. Please retry. Original error: context deadline exceeded`,
    ],
    [
      'by an answer that is too long',
      (_, reply) => {
        reply.writeHead(200);
        const piece = Buffer.alloc(1 << 20, ' ');
        const more = (): void => {
          while (!reply.destroyed && reply.write(piece));
          reply.once('drain', more);
        };
        more();
      },
      () =>
        `${CALL}unexpected error when reading response body. Please retry. Original error: the answer is longer than 8388608 bytes`,
    ],
    ['by closing the connection', (_, reply) => reply.destroy(), () => `${CALL}Post "${url()}": EOF`],
  ];
  for (const [name, hook, message] of broken) {
    it(`${name} stops the write`, async () => {
      lab.hooks.raw('/raw', hook);
      await lab.configure('validating', [lab.hook('/raw', { timeoutSeconds: 1 })]);
      const { revision } = lab.api.engine.store;
      const answer = await lab.call('POST', MAPS, { metadata: { name: 'failing' } });
      const text = message();
      assert.deepEqual([answer.code, answer.body['reason'], answer.message], [500, 'InternalError', text]);
      assert.deepEqual(answer.body['details'], {
        causes: [{ message: text.replace('Internal error occurred: ', '') }],
      });
      assert.equal(lab.api.engine.store.revision, revision);
    });
  }

  it('with another uid than that of the request stops the write', async () => {
    lab.hooks.raw('/raw', answering({ uid: 'x', allowed: true }));
    await lab.configure('mutating', [lab.hook('/raw')]);
    const { message } = await lab.call('POST', MAPS, { metadata: { name: 'failing' } });
    assert.ok(message.startsWith(`${INVALID}expected response.uid="`), message);
    assert.ok(message.endsWith('", got "x"'), message);
  });

  it('is passed over where that is asked for, but a denial never is', async () => {
    lab.hooks.raw('/raw', (_, reply) => reply.destroy());
    lab.hooks.on('/deny', () => ({ allowed: false }));
    const ignored = { failurePolicy: 'Ignore' };
    await lab.configure('mutating', [lab.hook('/raw', ignored)]);
    await lab.configure('validating', [lab.hook('/raw', ignored)]);
    assert.equal((await lab.call('POST', MAPS, { metadata: { name: 'passed-over' } })).code, 201);
    await lab.configure('validating', [lab.hook('/deny', ignored)]);
    assert.equal((await lab.call('POST', MAPS, { metadata: { name: 'denied' } })).code, 400);
  });

  const unreachable: [name: string, config: () => JsonObject, cause: RegExp][] = [
    [
      'refuses connections',
      () => ({ url: 'https://127.0.0.1:1/x' }),
      /^dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    ],
    [
      'is of an authority that nobody trusts',
      () => ({ url: `https://127.0.0.1:${lab.hooks.port}/allow`, caBundle: undefined }),
      /^tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    ],
    [
      'has a certificate for another name',
      () => ({ url: `https://localhost:${lab.hooks.port}/allow` }),
      /^tls: failed to verify certificate: x509: certificate is not valid for the name asked for: /,
    ],
    [
      'has a name that is not known',
      () => ({ url: 'https://no-such-host.invalid/x' }),
      /^dial tcp: lookup no-such-host\.invalid: no such host$/,
    ],
  ];
  for (const [name, config, cause] of unreachable) {
    it(`because it ${name} stops the write`, async () => {
      const clientConfig = { caBundle: lab.hooks.caBundle, ...config() };
      await lab.configure('validating', [lab.hook('/allow', { clientConfig, timeoutSeconds: 5 })]);
      const { code, message } = await lab.call('POST', MAPS, { metadata: { name: 'unreachable' } });
      assert.equal(code, 500);
      const start = `${CALL}Post "${String(Object(clientConfig).url)}?timeout=5s": `;
      assert.ok(message.startsWith(start), message);
      assert.match(message.slice(start.length), cause);
    });
  }

  it('does not slow down the next: connections are kept, and made anew when the webhook has closed them', async () => {
    await lab.configure('validating', [lab.hook('/allow')]);
    await lab.call('POST', MAPS, { metadata: { name: 'kept-0' } });
    const opened = lab.hooks.connections();
    for (const name of ['kept-1', 'kept-2', 'kept-3']) await lab.call('POST', MAPS, { metadata: { name } });
    assert.equal(lab.hooks.connections(), opened);
    lab.hooks.dropConnections();
    assert.equal((await lab.call('POST', MAPS, { metadata: { name: 'kept-4' } })).code, 201);
    assert.equal(lab.hooks.connections(), opened + 1);
  });
});
