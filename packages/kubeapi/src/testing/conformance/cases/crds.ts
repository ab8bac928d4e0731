import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { area, type Case } from '../area.ts';
import { at, CRDS, content, crd, kindAndNames } from '../objects.ts';
import type { Answer, Session } from '../session.ts';

const MERGE = { type: 'application/merge-patch+json' };
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** Groups are the case's own, so that cases do not meet. */
const groupOf = (s: Session): string => `${s.ns}.example.com`;
const definition = (s: Session, plural = 'widgets'): string => `${CRDS}/${plural}.${groupOf(s)}`;
const widgets = (s: Session, rest = '', version = 'v1'): string => s.api(`${groupOf(s)}/${version}`, `widgets${rest}`);

const conditions = (body: JsonObject): Json =>
  ((at(body, 'status', 'conditions') ?? []) as JsonObject[])
    .map(({ type, status, reason }) => [type ?? null, status ?? null, reason ?? null])
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));

/** A case that makes a definition of Widgets with this schema of `spec`, waits for it, and takes it away afterwards. */
function withWidgets(
  properties: JsonObject,
  run: (s: Session) => Promise<void>,
  more: { readonly version?: JsonObject; readonly spec?: JsonObject; readonly specSchema?: JsonObject } = {},
): Case['run'] {
  const spec = { type: 'object', properties, ...more.specSchema };
  const schema = {
    type: 'object',
    properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  };
  return async (s) => {
    await s.must('POST', CRDS, crd(groupOf(s), 'Widget', schema, more));
    try {
      await established(s);
      await run(s);
    } finally {
      await s.quiet('DELETE', definition(s));
    }
  };
}

async function established(s: Session): Promise<void> {
  const isUp = (a: Answer): boolean => JSON.stringify(conditions(a.body)).includes('["Established","True"');
  await s.eventually('the definition is established', definition(s), isUp);
  await s.eventually('the kind is served', widgets(s), (a) => a.code === 200);
}

const widget = (name: string, spec: JsonObject, s: Session, version = 'v1'): JsonObject => ({
  apiVersion: `${groupOf(s)}/${version}`,
  kind: 'Widget',
  metadata: { name },
  spec,
});

/** Create widgets of these specs under names of their own. */
async function create(s: Session, ...specs: readonly JsonObject[]): Promise<void> {
  for (const [i, spec] of specs.entries()) await s.post(widgets(s), widget(`w${i}`, spec, s), { look: content });
}

/** Refuse definitions; only which fields, as texts of several errors come in any order. */
async function refuse(s: Session, ...bodies: readonly JsonObject[]): Promise<void> {
  for (const body of bodies) await s.post(CRDS, body, { look: (b) => (b['kind'] === 'Status' ? b : 'created') });
}

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const int = { type: 'integer' };
const text = { type: 'string' };
const version = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: open },
  ...more,
});

/** Definitions of custom resources, and what their schemas do. */
export const crds = area('crds', {
  'a definition is completed and established': async (s) => {
    const names = { plural: 'widgets', kind: 'Widget' };
    const body = crd(groupOf(s), 'Widget');
    const spec = { ...(body['spec'] as JsonObject), names };
    await s.post(CRDS, { ...body, spec }, { look: (b) => b['spec'] ?? b });
    await established(s);
    await s.get(definition(s), {
      look: (b) => ({
        conditions: conditions(b),
        accepted: at(b, 'status', 'acceptedNames'),
        stored: at(b, 'status', 'storedVersions'),
        generation: at(b, 'metadata', 'generation'),
      }),
    });
    await s.get(`/apis/${groupOf(s)}`, {
      look: (b) => [b['kind'] ?? null, b['versions'] ?? null, b['preferredVersion'] ?? null],
    });
    await s.get(`/apis/${groupOf(s)}/v1`, {
      look: (b) => ((b['resources'] ?? []) as JsonObject[]).map(({ storageVersionHash: _, ...r }) => r),
    });
    await s.delete(definition(s), undefined, { look: 'code' });
    await s.eventually('the definition is gone', definition(s), (a) => a.code === 404);
    await s.eventually('the kind is gone', widgets(s), (a) => a.code === 404);
  },
  'definitions that make no sense are refused': async (s) => {
    const g = groupOf(s);
    const body = crd(g, 'Widget');
    const spec = body['spec'] as JsonObject;
    await refuse(
      s,
      { ...body, metadata: { name: 'other.name' } },
      { ...body, spec: { ...spec, scope: 'Galaxy' } },
      { ...body, spec: { ...spec, versions: [] } },
      { ...body, spec: { ...spec, versions: [version('v1', { storage: true }), version('v2', { storage: true })] } },
      { ...body, spec: { ...spec, versions: [version('v1')] } },
      { ...body, spec: { ...spec, versions: [version('v1', { storage: true }), version('v1')] } },
      { ...body, spec: { ...spec, versions: [version('1', { storage: true })] } },
      { ...body, spec: { ...spec, preserveUnknownFields: true } },
      { ...body, spec: { ...spec, names: { plural: 'Widgets', kind: 'widget' } } },
      { ...body, spec: { ...spec, conversion: { strategy: 'Other' } } },
      { ...body, spec: { ...spec, conversion: { strategy: 'Webhook' } } },
    );
  },
  'schemas must be structural': async (s) => {
    const of = (schema: JsonObject): JsonObject => crd(groupOf(s), 'Widget', schema);
    const spec = (schema: JsonObject): JsonObject => of({ type: 'object', properties: { spec: schema } });
    await refuse(
      s,
      of({}),
      of({ type: 'string' }),
      spec({}),
      spec({ type: 'object', properties: { a: {} } }),
      spec({ type: 'array' }),
      spec({ type: 'object', properties: { a: int }, additionalProperties: text }),
      spec({ type: 'object', additionalProperties: false }),
      spec({ $ref: '#/x', type: 'object' }),
      spec({ type: 'object', allOf: [{ type: 'object' }] }),
      spec({ type: 'object', anyOf: [{ properties: { a: int } }] }),
      spec({ type: 'object', properties: { a: { ...int, default: 'x' } } }),
      spec({ type: 'object', properties: { a: { type: 'object', default: { zz: 1 } } } }),
      spec({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' }),
      spec({
        type: 'array',
        items: { type: 'object', properties: { k: text } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      }),
      spec({ type: 'array', items: text, 'x-kubernetes-list-type': 'bag' }),
      spec({ type: 'string', pattern: '(' }),
      of({ type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } }),
    );
  },
  'a change of a definition is served at once': withWidgets({ a: int }, async (s) => {
    await s.post(widgets(s), widget('w', { a: 1, b: 2 }, s), { look: content });
    const now = await s.must('GET', definition(s));
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { a: int, b: { ...int, default: 7 } } } },
    };
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }];
    await s.must('PUT', definition(s), { ...now, spec: { ...(now['spec'] as JsonObject), versions } });
    await s.eventually('the default is seen', widgets(s, '/w'), (a) => at(a.body, 'spec', 'b') === 7);
    await s.get(widgets(s, '/w'), { look: content });
    await s.get(definition(s), { look: (b) => at(b, 'metadata', 'generation') });
  }),
  'columns are printed': withWidgets(
    {
      size: int,
      name: text,
      flag: { type: 'boolean' },
      when: { type: 'string', format: 'date-time' },
      list: { type: 'array', items: text },
      ratio: { type: 'number' },
      map: open,
    },
    async (s) => {
      await s.must(
        'POST',
        widgets(s),
        widget(
          'a',
          {
            size: 3,
            name: 'x',
            flag: true,
            when: '2020-01-01T00:00:00Z',
            list: ['p', 'q'],
            ratio: 1.5,
            map: { deep: { er: 'z' }, 'dot.ted': 'd' },
          },
          s,
        ),
      );
      await s.must('POST', widgets(s), widget('b', {}, s));
      const look = (b: JsonObject): Json => ({
        columns: (b['columnDefinitions'] as JsonObject[]).map((c) => [
          c['name'] ?? null,
          c['type'] ?? null,
          c['format'] ?? null,
          c['priority'] ?? null,
        ]),
        // The age of a fixed moment grows.
        cells: (b['rows'] as JsonObject[]).map((r) =>
          (r['cells'] as Json[]).map((c) => (typeof c === 'string' && /^\d+y(\d+d)?$/.test(c) ? 'YEARS' : c)),
        ),
      });
      await s.get(widgets(s), { accept: TABLE, look });
    },
    {
      version: {
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Label', type: 'string', jsonPath: '.spec.name', priority: 1 },
          { name: 'Flag', type: 'boolean', jsonPath: '.spec.flag' },
          { name: 'When', type: 'date', jsonPath: '.spec.when' },
          { name: 'List', type: 'string', jsonPath: '.spec.list' },
          { name: 'First', type: 'string', jsonPath: '.spec.list[0]' },
          { name: 'All', type: 'string', jsonPath: '.spec.list[*]' },
          { name: 'Ratio', type: 'number', jsonPath: '.spec.ratio' },
          { name: 'Deep', type: 'string', jsonPath: '.spec.map.deep.er' },
          { name: 'Dotted', type: 'string', jsonPath: ".spec.map['dot\\.ted']" },
          { name: 'Map', type: 'string', jsonPath: '.spec.map' },
          { name: 'Wrong', type: 'integer', jsonPath: '.spec.name' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
    },
  ),
  'several versions show one object': withWidgets(
    { a: int },
    async (s) => {
      await s.post(widgets(s), widget('w', { a: 1 }, s), { look: content });
      await s.get(widgets(s, '/w', 'v1beta1'), { look: content });
      await s.post(widgets(s, '', 'v1beta1'), widget('x', { a: 2, extra: 'kept' }, s, 'v1beta1'), { look: content });
      await s.get(widgets(s, '/x'), { look: content });
      await s.get(widgets(s, '/w', 'v1alpha1'), { look: 'code' });
      await s.get(widgets(s), { look: kindAndNames });
      await s.get(`/apis/${groupOf(s)}`, { look: (b) => b['versions'] ?? null });
    },
    {
      spec: {
        versions: [
          { name: 'v1beta1', served: true, storage: false, deprecated: true, schema: { openAPIV3Schema: open } },
          { name: 'v1alpha1', served: false, storage: false, schema: { openAPIV3Schema: open } },
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: int } } } },
            },
          },
        ],
      },
    },
  ),
  'deprecated versions warn': withWidgets(
    {},
    async (s) => {
      const warned = { look: (_: JsonObject, a: Answer): Json => (a.headers['warning'] ?? '').split('\n') };
      await s.get(widgets(s, '', 'v1beta1'), warned);
      await s.get(widgets(s, '', 'v1beta2'), warned);
      await s.get(widgets(s), warned);
      await s.post(widgets(s, '', 'v1beta1'), widget('w', {}, s, 'v1beta1'), warned);
    },
    {
      spec: {
        versions: [
          version('v1', { storage: true }),
          version('v1beta1', { deprecated: true }),
          version('v1beta2', { deprecated: true, deprecationWarning: 'v1beta2 "goes" soon' }),
        ],
      },
    },
  ),
  'CEL rules': withWidgets(
    {
      min: int,
      max: int,
      name: text,
      list: { type: 'array', maxItems: 5, items: { ...text, maxLength: 9 } },
      mode: text,
      kids: {
        type: 'array',
        maxItems: 5,
        items: {
          type: 'object',
          properties: { n: int },
          'x-kubernetes-validations': [{ rule: 'self.n > 0', message: 'n must be positive', fieldPath: '.n' }],
        },
      },
    },
    async (s) => {
      await create(
        s,
        { min: 1, max: 2 },
        { min: 3, max: 2 },
        { name: 'bad-name' },
        { list: ['a', 'bb'] },
        { list: ['a', 'b', 'a'] },
        { kids: [{ n: 1 }, { n: 0 }] },
        { kids: [{}] },
      );
      await s.must('POST', widgets(s), widget('w', { mode: 'a', min: 1, max: 5 }, s));
      await s.patch(widgets(s, '/w'), { spec: { mode: 'b' } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { mode: null } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { min: 2 } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { min: 'x' } }, { look: content });
    },
    {
      specSchema: {
        'x-kubernetes-validations': [
          { rule: '!has(self.min) || !has(self.max) || self.min <= self.max', message: 'min must not be above max' },
          {
            rule: "!has(self.name) || self.name.matches('^[a-z]+$')",
            messageExpression: "'name is ' + self.name",
            reason: 'FieldValueForbidden',
            fieldPath: '.name',
          },
          { rule: '!has(self.list) || self.list.all(x, self.list.filter(y, y == x).size() == 1)' },
          { rule: '!has(oldSelf.mode) || (has(self.mode) && self.mode == oldSelf.mode)', message: 'mode stays' },
        ],
      },
    },
  ),
  'rules that cannot be are refused': async (s) => {
    const of = (...rules: readonly JsonObject[]): JsonObject =>
      crd(groupOf(s), 'Widget', {
        type: 'object',
        properties: { spec: { type: 'object', properties: { a: int }, 'x-kubernetes-validations': [...rules] } },
      });
    const gist = { look: 'gist' as const };
    for (const rules of [
      [{ rule: '' }],
      [{ rule: 'self.b > 1' }],
      [{ rule: 'self.a' }],
      [{ rule: 'self.a >' }],
      [{ rule: 'self.a > 1', messageExpression: '1' }],
      [{ rule: 'self.a > 1', reason: 'Whatever' }],
      [{ rule: 'self.a > 1', fieldPath: '.none' }],
      [{ rule: 'self.a > 1', message: ' ' }],
      [{ rule: 'self.a > 1', message: 'a\nb' }],
    ])
      await s.post(CRDS, of(...rules), gist);
  },
  'what is invalid already may stay so': withWidgets(
    { a: int, b: text, list: { type: 'array', items: { type: 'object', properties: { x: int } } } },
    async (s) => {
      await s.must('POST', widgets(s), widget('w', { a: 50, b: 'long text', list: [{ x: 50 }, { x: 1 }] }, s));
      const now = await s.must('GET', definition(s));
      const tight = {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: {
              a: { ...int, maximum: 10 },
              b: { ...text, maxLength: 3 },
              list: { type: 'array', items: { type: 'object', properties: { x: { ...int, maximum: 10 } } } },
            },
          },
        },
      };
      const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: tight } }];
      await s.must('PUT', definition(s), { ...now, spec: { ...(now['spec'] as JsonObject), versions } });
      await s.eventually('the schema is in force', `${widgets(s)}?dryRun=All`, () => true);

      for (let i = 0; i < 200; i++) {
        const probe = await s.quiet('POST', `${widgets(s)}?dryRun=All`, widget('probe', { a: 50 }, s));
        if (probe.code === 422) break;
      }
      await s.patch(widgets(s, '/w'), { metadata: { labels: { may: 'change' } } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { b: 'ok' } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { a: 51 } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { a: 5 } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { a: 50 } }, { look: content });
      await s.patch(widgets(s, '/w'), { spec: { list: [{ x: 50 }, { x: 2 }] } }, { look: content });
    },
  ),
  'fields that can be selected': withWidgets(
    { color: text, size: int },
    async (s) => {
      for (const [name, color] of [
        ['a', 'red'],
        ['b', 'blue'],
        ['c', 'red'],
      ] as const)
        await s.must('POST', widgets(s), widget(name, { color, size: 1 }, s));
      await s.get(`${widgets(s)}?fieldSelector=spec.color%3Dred`, { look: kindAndNames });
      await s.get(`${widgets(s)}?fieldSelector=spec.color%21%3Dred`, { look: kindAndNames });
      await s.get(`${widgets(s)}?fieldSelector=spec.size%3D1`);
    },
    { version: { selectableFields: [{ jsonPath: '.spec.color' }] } },
  ),
  'names that are taken are not accepted': withWidgets({}, async (s) => {
    const body = crd(groupOf(s), 'Other', open, { names: { plural: 'others', kind: 'Widget', singular: 'widget' } });
    await s.must('POST', CRDS, body);
    const judged = (a: Answer): boolean => JSON.stringify(conditions(a.body)).includes('NamesAccepted');
    await s.eventually('the names are judged', definition(s, 'others'), judged);
    await s.get(definition(s, 'others'), { look: conditions });
    await s.quiet('DELETE', definition(s, 'others'));
  }),
  'a definition goes with its objects, and comes back empty': withWidgets({}, async (s) => {
    await s.must('POST', widgets(s), {
      ...widget('held', {}, s),
      metadata: { name: 'held', finalizers: ['a.b/hold'] },
    });
    await s.must('POST', widgets(s), widget('free', {}, s));
    await s.delete(definition(s), undefined, {
      look: (b) => [at(b, 'metadata', 'finalizers'), at(b, 'metadata', 'deletionTimestamp') !== null],
    });
    await s.eventually('the free one is gone', widgets(s, '/free'), (a) => a.code === 404);
    await s.eventually('it is terminating', definition(s), (a) =>
      JSON.stringify(conditions(a.body)).includes('Terminating'),
    );
    await s.post(widgets(s), widget('late', {}, s), { look: (b) => b });
    await s.must('PATCH', widgets(s, '/held'), { metadata: { finalizers: null } }, MERGE);
    await s.eventually('the definition is gone', definition(s), (a) => a.code === 404);
    await s.must('POST', CRDS, crd(groupOf(s), 'Widget'));
    await established(s);
    await s.get(widgets(s), { look: kindAndNames });
  }),
  'a kind of the cluster': async (s) => {
    await s.must('POST', CRDS, crd(groupOf(s), 'Widget', open, { spec: { scope: 'Cluster' } }));
    const path = `/apis/${groupOf(s)}/v1/widgets`;
    await s.eventually('the kind is served', path, (a) => a.code === 200);
    await s.post(path, widget('w', { a: 1 }, s), { look: content });
    await s.get(widgets(s, '/w'), { look: 'code' });
    await s.get(`${path}/w`, { look: (b) => (isJsonObject(b['metadata']) ? Object.keys(b['metadata']).sort() : null) });
    await s.get(path, { look: kindAndNames });
    await s.quiet('DELETE', definition(s));
  },
});
