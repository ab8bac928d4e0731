import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { until } from '@bloomery/ports';
import { patchResponse, sendJson, startWebhookServer, type WebhookServer } from '../../webhook-server.ts';
import { area, type Case } from '../area.ts';
import { at, configMap, crd, thing } from '../objects.ts';
import type { Answer, Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const JSON_PATCH = 'application/json-patch+json';
type Kind = 'mutating' | 'validating';

/** A case with a webhook server of its own; its configurations go with it. */
class Hooks {
  readonly s: Session;
  readonly server: WebhookServer;
  readonly #made: string[] = [];

  constructor(s: Session, server: WebhookServer) {
    this.s = s;
    this.server = server;
  }

  /** A webhook for ConfigMaps of the case's namespace. */
  hook(path: string, more: JsonObject = {}): JsonObject {
    return {
      name: 'hook.test.dev',
      clientConfig: this.server.clientConfig(path),
      rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': this.s.ns } },
      ...more,
    };
  }

  /** Store a configuration and wait until it is obeyed: a dry run of a ConfigMap with its name asks `/probe`. */
  async configure(kind: Kind, ...webhooks: readonly JsonObject[]): Promise<void> {
    const { s, server } = this;
    const name = `${s.ns}-${this.#made.length}`;
    const path = `${ADMISSION}/${kind}webhookconfigurations`;
    const probe = this.hook(`/probe-${name}`, {
      name: 'probe.test.dev',
      objectSelector: { matchLabels: { probe: name } },
    });
    server.on(`/probe-${name}`, () => ({ allowed: true }));
    this.#made.push(`${path}/${name}`);
    await s.must('POST', path, { metadata: { name }, webhooks: [...webhooks, probe] });
    await until('the webhooks are asked', async () => {
      await s.quiet('POST', s.core('configmaps?dryRun=All'), configMap('probe', {}, { labels: { probe: name } }));
      return server.seen(`/probe-${name}`).length > 0;
    });
    server.forget();
  }

  /** Delete the configurations and wait until nobody is asked any more. */
  async drop(): Promise<void> {
    const { s, server } = this;
    for (const path of this.#made.splice(0)) {
      await s.quiet('DELETE', path);
      const name = path.slice(path.lastIndexOf('/') + 1);
      await until('the webhooks are forgotten', async () => {
        server.forget();
        await s.quiet('POST', s.core('configmaps?dryRun=All'), configMap('probe', {}, { labels: { probe: name } }));
        return server.seen(`/probe-${name}`).length === 0;
      });
    }
    server.forget();
  }

  /** An answer without what differs from run to run. */
  readonly look = (body: JsonObject, answer: Answer): Json => {
    const text = JSON.stringify(body).replaceAll(`127.0.0.1:${this.server.port}`, 'HOOK');
    return [JSON.parse(text), (answer.headers['warning'] ?? '').split('\n').filter(Boolean)];
  };

  /** Record what a webhook was asked. A write that began from an old state is judged again: only its last question counts. */
  note(path: string): void {
    const asked = this.server.seen(path);
    for (const [i, request] of asked.entries()) {
      const next = asked[i + 1];
      if (next !== undefined && isJudgedAgain(request, next)) continue;
      const { uid: _, userInfo, ...rest } = request;
      const { extra: __, ...user } = isJsonObject(userInfo) ? userInfo : {};
      this.s.note('asked', { ...rest, userInfo: user });
    }
    this.server.forget();
  }
}

/** Whether the next update began from something else than what this one would have stored: then this one was not stored. */
function isJudgedAgain(request: JsonObject, next: JsonObject): boolean {
  const isUpdate = request['operation'] === 'UPDATE' && next['operation'] === 'UPDATE';
  return isUpdate && targetOf(request) === targetOf(next) && content(request['object']) !== content(next['oldObject']);
}

/** Which object is written, and as what. */
function targetOf({ kind, name, subResource }: JsonObject): string {
  return JSON.stringify([kind, name, subResource]);
}

/** What callers write of an object. */
function content(value: Json | undefined): string {
  if (!isJsonObject(value)) return '';
  const metadata = isJsonObject(value['metadata']) ? value['metadata'] : {};
  const { finalizers, labels, annotations } = metadata;
  return JSON.stringify([value['data'], value['spec'], finalizers, labels, annotations]);
}

function hooked(run: (h: Hooks) => Promise<void>): Case['run'] {
  return async (s) => {
    const server = await startWebhookServer();
    server.on('/allow', () => ({ allowed: true }));
    const hooks = new Hooks(s, server);
    try {
      await run(hooks);
    } finally {
      await hooks.drop();
      await server[Symbol.asyncDispose]();
    }
  };
}

const DENIALS: readonly JsonObject[] = [
  {},
  { status: { message: 'no way' } },
  { status: { reason: 'Because' } },
  { status: { code: 403, message: 'bad', reason: 'Forbidden' } },
  { status: { code: 422, message: 'bad', reason: 'Invalid', details: { causes: [{ field: 'spec', message: 'x' }] } } },
  { status: { code: 200, message: 'm', status: 'Success' } },
  { warnings: ['w1', 'w"2"', 'w1', 'w\n3'] },
];

/** Admission and conversion webhooks. */
export const webhooks = area(
  'webhooks',
  {
    'a mutating webhook sees what was sent': hooked(async (h) => {
      const { s, look } = h;
      await h.configure('mutating', h.hook('/allow'));
      const maps = s.core('configmaps');
      await s.post(maps, configMap('a', { a: '1' }, { uid: 'x', creationTimestamp: '2020-01-01T00:00:00Z' }), { look });
      await s.post(
        `${maps}?dryRun=All&fieldManager=me&fieldValidation=Strict`,
        {
          ...configMap('', { a: '1' }),
          metadata: { generateName: 'made-' },
        },
        { look: 'code' },
      );
      await s.put(`${maps}/a`, configMap('a', { a: '2' }), { look });
      await s.patch(`${maps}/a?fieldManager=m`, { data: { a: '3' } }, { look });
      await s.apply(`${maps}/a`, 'ap', configMap('a', { b: '4' }), { look });
      await s.patch(`${maps}/a`, {}, { look });
      await s.delete(`${maps}/a`, { propagationPolicy: 'Background' }, { look });
      h.note('/allow');
    }),
    'a validating webhook sees what would be stored': hooked(async (h) => {
      const { s } = h;
      await h.configure('validating', h.hook('/allow'));
      const maps = s.core('configmaps');
      await s.must('POST', maps, configMap('a', { a: '1' }, { finalizers: ['x.test/y'] }));
      await s.must('PUT', `${maps}/a`, configMap('a', { a: '2' }, { finalizers: ['x.test/y'] }));
      await s.must('DELETE', `${maps}/a`);
      await s.must('PATCH', `${maps}/a`, { metadata: { finalizers: null } }, { type: 'application/merge-patch+json' });
      await s.must('POST', maps, configMap('b', { a: '1' }, { labels: { c: 'c' } }));
      await s.must('DELETE', `${maps}?labelSelector=c=c`);
      h.note('/allow');
    }),
    'refusals of webhooks reach the caller': hooked(async (h) => {
      const { s, look } = h;
      for (const kind of ['mutating', 'validating'] as const) {
        let response: JsonObject = {};
        h.server.on('/deny', () => ({ allowed: false, ...response }));
        await h.configure(kind, h.hook('/deny', { objectSelector: { matchLabels: { deny: 'me' } } }));
        for (response of DENIALS)
          await s.post(s.core('configmaps'), configMap('denied', {}, { labels: { deny: 'me' } }), { look });
        await h.drop();
      }
    }),
    'answers that are none stop the write': hooked(async (h) => {
      const { s, look } = h;
      const answers: readonly JsonObject[] = [
        {},
        { response: { allowed: true } },
        { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: '', allowed: true } },
        { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
      ];
      let next: JsonObject = {};
      h.server.raw('/raw', (review, response) => {
        const given = next['response'];
        const uid = isJsonObject(review['request']) ? review['request']['uid'] : '';
        sendJson(
          response,
          isJsonObject(given) && given['uid'] === undefined ? { ...next, response: { ...given, uid } } : next,
        );
      });
      await h.configure('validating', h.hook('/raw', { objectSelector: { matchLabels: { raw: 'me' } } }));
      for (next of answers) {
        const seen = await s.quiet('POST', s.core('configmaps'), configMap('raw', {}, { labels: { raw: 'me' } }));
        s.note('refused', [seen.code, String(seen.body['message']).replace(/uid="[^"]+"/, 'uid="UID"')]);
      }
      await h.drop();
      h.server.raw('/raw', (_, response) => response.writeHead(500).end('oops'));
      await h.configure('validating', h.hook('/raw', { objectSelector: { matchLabels: { raw: 'me' } } }));
      await s.post(s.core('configmaps'), configMap('raw', {}, { labels: { raw: 'me' } }), { look });
      h.server.raw('/raw', (_, response) => response.destroy());
      await s.post(s.core('configmaps'), configMap('raw', {}, { labels: { raw: 'me' } }), { look });
      h.server.raw('/raw', (_, response) => response.writeHead(404).end());
      await s.post(s.core('configmaps'), configMap('raw', {}, { labels: { raw: 'me' } }), { look });
    }),
    'patches of webhooks are applied, defaulted and validated': hooked(async (h) => {
      const { s, look } = h;
      let patch: readonly JsonObject[] = [];
      h.server.on('/patch', () => patchResponse(patch));
      await h.configure(
        'mutating',
        h.hook('/patch', {
          rules: [
            {
              operations: ['CREATE', 'UPDATE'],
              apiGroups: ['', 'vec.bloomery.test'],
              apiVersions: ['v1'],
              resources: ['configmaps', 'things'],
            },
          ],
          objectSelector: { matchExpressions: [{ key: 'probe', operator: 'DoesNotExist' }] },
        }),
      );
      const maps = s.core('configmaps');
      const patches: readonly (readonly JsonObject[])[] = [
        [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }],
        [{ op: 'add', path: '/zork', value: 1 }],
        [{ op: 'add', path: '/data', value: { 'a b': 'c' } }],
        [{ op: 'replace', path: '/metadata/name', value: 'other' }],
        [{ op: 'replace', path: '/metadata/namespace', value: 'default' }],
        [{ op: 'add', path: '/metadata/managedFields', value: [{ manager: 'x' }] }],
        [{ op: 'add', path: '/metadata/resourceVersion', value: '7' }],
      ];
      for (const [i, one] of patches.entries()) {
        patch = one;
        await s.post(maps, configMap(`p${i}`), { look });
      }
      patch = [{ op: 'replace', path: '/metadata/name', value: 'other' }];
      await s.patch(`${maps}/p0`, { data: { a: '2' } }, { look: 'gist' });
      patch = [{ op: 'remove', path: '/data/none' }];
      await s.post(maps, configMap('failing'), { look: 'code' });
      const things = s.api(THING, 'things');
      patch = [{ op: 'add', path: '/spec/size', value: 5 }];
      await s.post(things, thing('demanded', {}), { look });
      patch = [{ op: 'add', path: '/spec/size', value: 500 }];
      await s.post(things, thing('invalid', {}), { look: 'gist' });
      patch = [{ op: 'add', path: '/spec', value: { size: 3, zork: 1 } }];
      await s.post(things, thing('pruned', { size: 1 }), { look });
    }),
    'webhooks that were asked are asked again after a change': hooked(async (h) => {
      const { s } = h;
      const order: string[] = [];
      for (const name of ['a', 'b', 'c']) {
        h.server.on(`/${name}`, (request) => {
          // Controllers make ConfigMaps, too, whenever they like.
          if (at(request, 'object', 'metadata', 'name') !== 'again') return { allowed: true };
          order.push(name);
          const by = String(at(request, 'object', 'data', 'by') ?? '');
          const again = by.length >= 3 || name === 'c';
          return again ? { allowed: true } : patchResponse([{ op: 'add', path: '/data', value: { by: by + name } }]);
        });
      }
      await h.configure(
        'mutating',
        ...['a', 'b', 'c'].map((name) =>
          h.hook(`/${name}`, {
            name: `${name}.test.dev`,
            reinvocationPolicy: name === 'b' ? 'Never' : 'IfNeeded',
            objectSelector: { matchExpressions: [{ key: 'probe', operator: 'DoesNotExist' }] },
          }),
        ),
      );
      const { body } = await s.quiet('POST', s.core('configmaps'), configMap('again'));
      s.note('order', [order, body['data'] ?? null]);
    }),
    'an equivalent version is converted for the webhook': hooked(async (h) => {
      const { s } = h;
      const rules = [
        {
          operations: ['*'],
          apiGroups: ['vec.bloomery.test'],
          apiVersions: ['v1'],
          resources: ['things', 'things/status', 'things/scale'],
        },
      ];
      await h.configure('validating', h.hook('/allow', { rules }));
      await s.must('POST', s.api('vec.bloomery.test/v1beta1', 'things'), {
        ...thing('t', { size: 1 }),
        apiVersion: 'vec.bloomery.test/v1beta1',
      });
      await s.must(
        'PATCH',
        s.api(THING, 'things/t/status'),
        { status: { phase: 'x' } },
        { type: 'application/merge-patch+json' },
      );
      await s.must('PATCH', s.api(THING, 'things/t/scale'), [{ op: 'add', path: '/spec/replicas', value: 3 }], {
        type: JSON_PATCH,
      });
      h.note('/allow');
    }),
    'conditions decide which webhooks are asked': hooked(async (h) => {
      const { s } = h;
      const matchConditions = [
        { name: 'new', expression: 'object != null && object.metadata.name.startsWith("yes")' },
        { name: 'operation', expression: 'request.operation in ["CREATE", "UPDATE"]' },
      ];
      await h.configure('validating', h.hook('/allow', { matchConditions }));
      for (const name of ['yes-1', 'no-1']) await s.must('POST', s.core('configmaps'), configMap(name));
      await s.must('DELETE', s.core('configmaps/yes-1'));
      s.note(
        'asked',
        h.server.seen('/allow').map((r) => r['name'] ?? ''),
      );
      await h.drop();
      const failing = [{ name: 'fails', expression: 'object.data.none == "x"' }];
      await h.configure(
        'validating',
        h.hook('/allow', { matchConditions: failing, objectSelector: { matchLabels: { f: 'f' } } }),
      );
      await s.post(s.core('configmaps'), configMap('fails', { a: '1' }, { labels: { f: 'f' } }), { look: 'gist' });
    }),
    'configurations are judged': hooked(async (h) => {
      const { s } = h;
      const bad: readonly JsonObject[] = [
        { name: 'short' },
        { clientConfig: {} },
        { clientConfig: { url: 'http://a.b/c' } },
        { clientConfig: { service: { namespace: 'a', name: 'b', path: 'x//y', port: 70000 } } },
        { sideEffects: 'Some' },
        { sideEffects: undefined },
        { admissionReviewVersions: ['v2'] },
        { failurePolicy: 'Maybe', matchPolicy: 'Maybe', timeoutSeconds: 31 },
        { namespaceSelector: { matchExpressions: [{ key: 'a b', operator: 'Has' }] } },
        {
          rules: [
            { operations: ['PATCH'], apiGroups: ['*', ''], apiVersions: [''], resources: ['pods/*', 'pods/exec'] },
          ],
        },
        {
          matchConditions: [
            { name: 'x', expression: '1' },
            { name: 'x', expression: '' },
          ],
        },
        {},
      ];
      for (const more of bad)
        await s.post(
          `${ADMISSION}/mutatingwebhookconfigurations?dryRun=All`,
          {
            metadata: { name: 'judged' },
            webhooks: [h.hook('/x', { clientConfig: { url: 'https://a.b/c' }, ...more })],
          },
          { look: (body) => body['details'] ?? body['webhooks'] ?? null },
        );
    }),
    'a webhook converts between versions': hooked(async (h) => {
      const { s, look } = h;
      const group = `${s.ns}.test`;
      let spoil: ((answer: JsonObject, objects: readonly JsonObject[]) => JsonObject) | undefined;
      h.server.raw('/convert', (review, response) => {
        const request = isJsonObject(review['request']) ? review['request'] : {};
        const wanted = String(request['desiredAPIVersion']);
        const objects = (Array.isArray(request['objects']) ? request['objects'] : []).map(
          (object: Json): JsonObject => {
            const given = isJsonObject(object) ? object : {};
            const { one, two, ...rest } = isJsonObject(given['spec']) ? given['spec'] : {};
            const value = one ?? two ?? '';
            return { ...given, apiVersion: wanted, spec: { ...rest, [wanted.endsWith('v1') ? 'one' : 'two']: value } };
          },
        );
        const answer = { uid: request['uid'], result: { status: 'Success' }, convertedObjects: objects };
        sendJson(response, {
          apiVersion: review['apiVersion'],
          kind: review['kind'],
          response: spoil?.(answer, objects) ?? answer,
        });
      });
      const version = (name: string, field: string, storage: boolean): JsonObject => ({
        name,
        served: true,
        storage,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { [field]: { type: 'string' }, n: { type: 'integer', default: 1 } } },
            },
          },
        },
      });
      const webhook = { clientConfig: h.server.clientConfig('/convert'), conversionReviewVersions: ['v1'] };
      const spec = {
        versions: [version('v1', 'one', true), version('v2', 'two', false)],
        conversion: { strategy: 'Webhook', webhook },
      };
      const definition = crd(group, 'Conv', {}, { spec });
      await s.must('POST', CRDS, definition);
      await s.eventually('the kind is served', s.api(`${group}/v2`, 'convs'), ({ code }) => code === 200);
      const v1 = s.api(`${group}/v1`, 'convs');
      const v2 = s.api(`${group}/v2`, 'convs');
      const conv = (v: string, spec: JsonObject): JsonObject => ({
        apiVersion: `${group}/${v}`,
        kind: 'Conv',
        metadata: { name: 'c' },
        spec,
      });
      await s.post(v2, conv('v2', { two: 'x' }), { look });
      await s.get(`${v1}/c`, { look });
      await s.patch(`${v2}/c`, { spec: { two: 'y' } }, { look });
      await s.patch(`${v1}/c`, { spec: { one: 'z' } }, { look });
      await s.apply(`${v2}/c`, 'm', conv('v2', { two: 'q' }), { look });
      await s.apply(`${v2}/c`, 'm', conv('v2', { two: 'q' }), { look, force: true });
      await s.get(`${v1}/c`, { look });
      const metadata = (object: JsonObject, more: JsonObject): JsonObject => ({
        ...object,
        metadata: { ...(isJsonObject(object['metadata']) ? object['metadata'] : {}), ...more },
      });
      const spoilers: readonly NonNullable<typeof spoil>[] = [
        (answer) => ({ ...answer, result: { status: 'Failure', message: 'cannot' } }),
        (answer) => ({ ...answer, result: {} }),
        (answer) => ({ ...answer, convertedObjects: [] }),
        (answer, objects) => ({
          ...answer,
          convertedObjects: objects.map((o) => ({ ...o, apiVersion: `${group}/v9` })),
        }),
        (answer, objects) => ({ ...answer, convertedObjects: objects.map((o) => ({ ...o, kind: 'Other' })) }),
        (answer, objects) => ({ ...answer, convertedObjects: objects.map((o) => metadata(o, { name: 'other' })) }),
        (answer, objects) => ({
          ...answer,
          convertedObjects: objects.map((o) => metadata(o, { labels: { 'a b': 'c' } })),
        }),
        (answer, objects) => ({
          ...answer,
          convertedObjects: objects.map((o) => metadata(o, { labels: { a: 'b' }, finalizers: ['x.y/z'] })),
        }),
        (answer, objects) => ({
          ...answer,
          convertedObjects: objects.map((o) => ({ ...o, spec: { two: 5, zork: 1 } })),
        }),
      ];
      await s.must('POST', v1, { ...conv('v1', { one: 'x' }), metadata: { name: 'd' } });
      for (const [i, one] of spoilers.entries()) {
        // A fresh object for each: what was converted once is not asked about again here.
        const name = `spoilt-${i}`;
        await s.must('POST', v1, { ...conv('v1', { one: 'x' }), metadata: { name } });
        spoil = one;
        await s.get(`${v2}/${name}`, { look });
        spoil = undefined;
      }
      await s.quiet('DELETE', `${CRDS}/convs.${group}`);
    }),
  },
  { concurrency: 2 },
);
