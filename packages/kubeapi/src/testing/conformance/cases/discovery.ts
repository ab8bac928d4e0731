import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at } from '../objects.ts';
import { THING } from '../shared-kinds.ts';

const V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const GROUPS = [
  'v1',
  'coordination.k8s.io/v1',
  'events.k8s.io/v1',
  'rbac.authorization.k8s.io/v1',
  'authorization.k8s.io/v1',
  'authentication.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  THING,
];
/** Kinds of the core group that both serve. */
const CORE =
  /^(?:bindings|componentstatuses|configmaps|events|namespaces|nodes|pods|secrets|serviceaccounts|services)$/;

const sorted = (list: Json): JsonObject[] =>
  (list as JsonObject[]).toSorted((a, b) =>
    String(a['name'] ?? a['resource']) < String(b['name'] ?? b['resource']) ? -1 : 1,
  );
const resource = ({ storageVersionHash: _hash, ...rest }: JsonObject): JsonObject => rest;

/** Verbs and subresources in order; a response kind without group and version is of those of its resource. */
function ordered(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => ordered(item));
  if (!isJsonObject(value)) return value;
  const { verbs, subresources, responseKind, ...rest } = value;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, ordered(member ?? null)]));
  return {
    ...inner,
    ...(Array.isArray(verbs) ? { verbs: [...verbs].sort() } : {}),
    ...(Array.isArray(subresources)
      ? {
          subresources: ordered(
            subresources.toSorted((a, b) => (String(at(a, 'subresource')) < String(at(b, 'subresource')) ? -1 : 1)),
          ),
        }
      : {}),
    ...(responseKind === undefined ? {} : { responseKind: at(responseKind, 'kind') }),
  };
}

/** A schema without descriptions, and without what is said of a field in more than one way. */
function undescribed(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => undescribed(item));
  if (!isJsonObject(value)) return value;
  const isLoose = value['x-kubernetes-int-or-string'] === true || value['x-kubernetes-embedded-resource'] === true;
  const left = Object.entries(value).filter(
    ([name, member]) =>
      !(name === 'description' && typeof member === 'string') &&
      !(name === 'default' && '$ref' in value) &&
      !(name === 'default' && 'allOf' in value) &&
      !(isLoose && ['anyOf', 'required', 'properties'].includes(name)),
  );
  return Object.fromEntries(left.map(([name, member]) => [name, undescribed(member ?? null)]));
}

function shared(body: JsonObject): Json {
  const list = sorted(body['resources'] ?? []).map(resource);
  return ordered({ ...body, resources: list });
}

/** Documents that say what is served. */
export const discovery = area('discovery', {
  'resources of the groups that clients need': async (s) => {
    for (const group of GROUPS.slice(1)) await s.get(`/apis/${group}`, { look: shared });
  },
  'resources of the core group': async (s) => {
    const look = (body: JsonObject): Json => {
      const list = sorted(body['resources'] ?? []).filter((r) =>
        /^(?:configmaps|events|namespaces|secrets|serviceaccounts)(?:\/|$)/.test(String(r['name'])),
      );
      return { ...body, resources: list.map(resource) };
    };
    await s.get('/api/v1', { look });
  },
  'core kinds are all there': async (s) => {
    await s.get('/api/v1', {
      look: (b) =>
        sorted(b['resources'] ?? [])
          .map((r) => String(r['name']))
          .filter((n) => CORE.test(n) && !/bindings|componentstatuses/.test(n)),
    });
  },
  'the root of the core group': async (s) => {
    await s.get('/api', { look: ({ serverAddressByClientCIDRs: _, ...rest }) => rest });
  },
  'the groups with their versions': async (s) => {
    const look = (b: JsonObject): Json => {
      const mine = [
        '',
        'coordination.k8s.io',
        'events.k8s.io',
        'rbac.authorization.k8s.io',
        'authorization.k8s.io',
        'authentication.k8s.io',
        'apiextensions.k8s.io',
        'vec.bloomery.test',
      ];
      return sorted((b['groups'] ?? []) as Json).filter((g) => mine.includes(String(g['name'])));
    };
    await s.get('/apis', {
      look: (b) => ({ kind: b['kind'] ?? null, apiVersion: b['apiVersion'] ?? null, groups: look(b) }),
    });
    await s.get('/apis/vec.bloomery.test');
    await s.get('/apis/coordination.k8s.io', {
      look: (b) => ({ ...b, versions: (b['versions'] as JsonObject[]).filter((v) => v['version'] === 'v1') }),
    });
  },
  'aggregated discovery of the groups that clients need': async (s) => {
    const look = (body: JsonObject, answer: { headers: Readonly<Record<string, string>> }): Json => {
      const items = (body['items'] as JsonObject[]).filter((i) =>
        [
          'coordination.k8s.io',
          'vec.bloomery.test',
          'rbac.authorization.k8s.io',
          'apiextensions.k8s.io',
          'authentication.k8s.io',
        ].includes(String(at(i, 'metadata', 'name'))),
      );
      const versions = (item: JsonObject): Json =>
        ordered(
          (item['versions'] as JsonObject[])
            .filter(
              (v) =>
                !String(v['version']).startsWith('v1alpha') &&
                (v['version'] === 'v1' || String(at(item, 'metadata', 'name')).startsWith('vec')),
            )
            .map((v) => ({ ...v, resources: sorted(v['resources'] ?? []) })),
        );
      return {
        type: answer.headers['content-type'] ?? '',
        kind: body['kind'] ?? null,
        apiVersion: body['apiVersion'] ?? null,
        items: items
          .map((i) => ({ name: at(i, 'metadata', 'name'), versions: versions(i) }))
          .toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
      };
    };
    await s.get('/apis', { accept: V2, look });
    await s.get('/api', {
      accept: V2,
      look: (b, a) => ({
        type: a.headers['content-type'] ?? '',
        resources: ordered(
          sorted(at(b, 'items', 0, 'versions', 0, 'resources')).filter((r) =>
            /^(?:configmaps|events|namespaces|secrets|serviceaccounts)$/.test(String(r['resource'])),
          ),
        ),
      }),
    });
  },
  'discovery is asked for as clients do': async (s) => {
    const type = {
      look: (b: JsonObject, a: { headers: Readonly<Record<string, string>> }): Json => [
        a.headers['content-type'] ?? '',
        b['kind'] ?? null,
      ],
    };
    for (const accept of [
      `${V2},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`,
      'application/json',
      '*/*',
    ])
      for (const path of ['/apis', '/api', '/apis/coordination.k8s.io/v1', '/version'])
        await s.get(path, { accept, ...type });
  },
  'aggregated discovery is cached by ETag': async (s) => {
    const first = await s.quiet('GET', '/apis', undefined, { accept: V2 });
    const etag = first.headers['etag'] ?? '';
    s.note('has an ETag', /^"[0-9A-F]+"$/.test(etag));
    await s.get('/apis', { accept: V2, headers: { 'if-none-match': etag }, look: (_, a) => a.text });
    await s.get('/apis', { accept: V2, headers: { 'if-none-match': '"other"' }, look: 'code' });
    s.note('vary', (first.headers['vary'] ?? '').split(', ').includes('Accept'));
  },
  'the version': async (s) => {
    await s.get('/version', {
      look: (b) => ({
        keys: Object.keys(b)
          .filter((k) => !/emulation|minCompat/.test(k))
          .sort(),
        major: b['major'] ?? null,
        minor: b['minor'] ?? null,
        version: String(b['gitVersion']).slice(0, 7),
      }),
    });
    await s.get('/version/', { look: 'code' });
  },
  health: async (s) => {
    for (const path of ['/healthz', '/livez', '/readyz', '/livez/ping', '/readyz/ping', '/livez/none'])
      await s.get(path, { look: (_, a) => [a.headers['content-type'] ?? '', a.text] });
    await s.get('/readyz?verbose', {
      look: (_, a) => [a.text.startsWith('[+]ping ok\n'), a.text.endsWith('readyz check passed\n')],
    });
    await s.get('/livez?verbose=1', { look: (_, a) => a.text.endsWith('livez check passed\n') });
    await s.get('/livez?verbose&exclude=ping', { look: (_, a) => /\[\+\]ping excluded: ok/.test(a.text) });
  },
  'metrics have the names that dashboards ask for': async (s) => {
    await s.get('/metrics', {
      look: (_, a) => [
        a.headers['content-type']?.split(';')[0] ?? '',
        [
          'apiserver_request_total',
          'apiserver_request_duration_seconds',
          'apiserver_current_inflight_requests',
          'apiserver_longrunning_requests',
          'apiserver_response_sizes',
          'process_cpu_seconds_total',
          'process_resident_memory_bytes',
        ].filter((n) => a.text.includes(`# TYPE ${n} `)),
        /apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="namespaces",scope="[a-z]+",subresource="",verb="[A-Z]+",version="v1"\}/.test(
          a.text,
        ),
      ],
    });
  },
  'OpenAPI v3 lists its documents': async (s) => {
    await s.get('/openapi/v3', {
      look: (b) =>
        Object.entries(b['paths'] as JsonObject)
          .filter(([p]) =>
            [
              'api/v1',
              'apis/coordination.k8s.io/v1',
              'apis/vec.bloomery.test/v1',
              'apis/apiextensions.k8s.io/v1',
            ].includes(p),
          )
          .map(([p, v]) => [p, String(at(v, 'serverRelativeURL')).replace(/hash=[0-9A-F]+/, 'hash=H')])
          .toSorted(),
    });
    const root = await s.quiet('GET', '/openapi/v3');
    const path = String(at(root.body, 'paths', 'apis/vec.bloomery.test/v1', 'serverRelativeURL'));
    const cached = await s.quiet('GET', path);
    s.note('by hash', [
      cached.code,
      (cached.headers['cache-control'] ?? '').includes('immutable'),
      cached.headers['expires'] !== undefined,
      cached.headers['etag'] !== undefined,
    ]);
    const again = await s.quiet('GET', path, undefined, { headers: { 'if-none-match': cached.headers['etag'] ?? '' } });
    s.note('again', again.code);
    const old = await s.quiet('GET', path.replace(/hash=.*/, 'hash=0'));
    s.note('with an old hash', old.code);
  },
  'OpenAPI v3 of a custom kind': async (s) => {
    const schemas = (b: JsonObject): JsonObject => at(b, 'components', 'schemas') as JsonObject;
    const name = 'test.bloomery.vec.v1.Thing';
    await s.get(`/openapi/v3/apis/${THING}`, {
      look: (b) => [
        b['openapi'] ?? null,
        Object.keys(schemas(b))
          .filter((k) => /vec|ObjectMeta$|DeleteOptions$/.test(k))
          .sort(),
        undescribed(schemas(b)[name] ?? null),
      ],
    });
    await s.get(`/openapi/v3/apis/${THING}`, {
      look: (b) => undescribed(schemas(b)['test.bloomery.vec.v1.ThingList'] ?? null),
    });
    const path = `/apis/${THING}/namespaces/{namespace}/things/{name}`;
    await s.get(`/openapi/v3/apis/${THING}`, {
      look: (b) => ({
        paths: Object.keys(b['paths'] as JsonObject)
          .filter((p) => p.startsWith(`/apis/${THING}/`))
          .sort(),
        verbs: Object.keys(at(b, 'paths', path) as JsonObject)
          .filter((verb) => verb !== 'parameters')
          .sort(),
        // Parameters of the path may stand above all operations.
        patch: (at(b, 'paths', path, 'patch', 'parameters') as JsonObject[])
          .filter((p) => p['in'] === 'query')
          .map((p) => p['name'] ?? null),
        gvk: at(b, 'paths', path, 'patch', 'x-kubernetes-group-version-kind'),
        action: at(b, 'paths', path, 'patch', 'x-kubernetes-action'),
        types: Object.keys(at(b, 'paths', path, 'patch', 'requestBody', 'content') as JsonObject).sort(),
      }),
    });
  },
  'OpenAPI v3 of a built-in kind has merge keys': async (s) => {
    const picks = (b: JsonObject, name: string, ...path: string[]): Json =>
      at(b, 'components', 'schemas', name, 'properties', ...path);
    const extensions = (v: Json): Json =>
      Object.fromEntries(
        Object.entries(v as JsonObject).filter(([k]) => k.startsWith('x-kubernetes-patch') || k === 'type'),
      );
    await s.get('/openapi/v3/api/v1', {
      look: (b) => ({
        gvk: at(b, 'components', 'schemas', 'io.k8s.api.core.v1.ConfigMap', 'x-kubernetes-group-version-kind'),
        secrets: extensions(picks(b, 'io.k8s.api.core.v1.ServiceAccount', 'secrets')),
        pull: extensions(picks(b, 'io.k8s.api.core.v1.ServiceAccount', 'imagePullSecrets')),
        finalizers: extensions(picks(b, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', 'finalizers')),
        owners: extensions(picks(b, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', 'ownerReferences')),
        meta: undescribed(picks(b, 'io.k8s.api.core.v1.ConfigMap', 'metadata')),
      }),
    });
  },
  'OpenAPI v2 in JSON and in protobuf': async (s) => {
    await s.get('/openapi/v2', {
      look: (b, a) => ({
        type: a.headers['content-type'] ?? '',
        swagger: b['swagger'] ?? null,
        has: at(b, 'definitions', 'io.k8s.api.core.v1.ConfigMap', 'x-kubernetes-group-version-kind'),
        thing: Object.keys(
          (at(b, 'definitions', 'test.bloomery.vec.v1.Thing', 'properties') ?? {}) as JsonObject,
        ).sort(),
      }),
    });
    await s.get('/openapi/v2', {
      accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
      look: (_, a) => [a.headers['content-type'] ?? '', a.text.length > 1000, a.headers['etag'] !== undefined],
    });
    await s.get('/openapi/v2', { accept: 'text/html', look: 'code' });
  },
});
