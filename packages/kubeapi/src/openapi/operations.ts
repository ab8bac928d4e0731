import { apiVersionOf } from '@bloomery/model';
import { type ApiResource, subresourcesOf, verbsOf } from '../discovery/api-resource.ts';
import { META_SCHEMAS, schemaName } from './schema-name.ts';

/** One operation of a path, free of the differences between OpenAPI versions. */
export interface ApiOperation {
  readonly path: string;
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  readonly id: string;
  readonly action: 'list' | 'get' | 'post' | 'put' | 'patch' | 'delete' | 'deletecollection';
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly parameters: readonly ApiParameter[];
  /** Name of the schema of the request body. */
  readonly body?: string;
  /** Content types of the request body. */
  readonly consumes: readonly string[];
  /** Name of the schema of the answer. */
  readonly answer: string;
}

export interface ApiParameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
}

const query = (name: string, description: string, type: ApiParameter['type'] = 'string'): ApiParameter => ({
  name,
  in: 'query',
  type,
  description,
});

const DRY_RUN = query('dryRun', 'All: check everything, change nothing.');
const MANAGER = query('fieldManager', 'Who makes this change: at most 128 printable characters.');
const VALIDATION = query('fieldValidation', 'What to do about unknown and duplicate fields: Ignore, Warn or Strict.');
const FORCE = query('force', 'Take over fields that others own. Only for apply patches.', 'boolean');
const WRITING = [DRY_RUN, MANAGER, VALIDATION];
const LISTING = [
  query('allowWatchBookmarks', 'Ask for BOOKMARK events.', 'boolean'),
  query('continue', 'Read on where a list was cut short.'),
  query('fieldSelector', 'Only objects whose fields match.'),
  query('labelSelector', 'Only objects whose labels match.'),
  query('limit', 'At most this many items.', 'integer'),
  query('resourceVersion', 'The version to read at, or to watch from.'),
  query('resourceVersionMatch', 'How resourceVersion is meant: NotOlderThan or Exact.'),
  query('sendInitialEvents', 'Start a watch with all present objects.', 'boolean'),
  query('timeoutSeconds', 'End the call after this time.', 'integer'),
  query('watch', 'Stream changes instead of answering once.', 'boolean'),
];
const DELETING = [
  DRY_RUN,
  query('gracePeriodSeconds', 'Seconds before the object goes.', 'integer'),
  query('propagationPolicy', 'What becomes of dependents: Orphan, Background or Foreground.'),
];

/** All operations of a resource and its subresources. */
export function operationsOf(resource: ApiResource): readonly ApiOperation[] {
  const { group, version, kind, plural } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${apiVersionOf(resource)}`;
  const namespaced = resource.scope === 'Namespaced';
  const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const verbs = new Set(verbsOf(resource));
  const make = (action: ApiOperation['action'], path: string, suffix = ''): ApiOperation =>
    operation(resource, action, path, suffix);
  const operations: ApiOperation[] = [];
  if (verbs.has('list')) operations.push(make('list', collection));
  if (verbs.has('list') && namespaced) operations.push(make('list', `${root}/${plural}`, 'ForAllNamespaces'));
  if (verbs.has('create')) operations.push(make('post', collection));
  if (verbs.has('deletecollection')) operations.push(make('deletecollection', collection));
  for (const [verb, action] of ITEM_ACTIONS) {
    if (verbs.has(verb)) operations.push(make(action, `${collection}/{name}`));
  }
  for (const subresource of subresourcesOf(resource)) {
    const path = `${collection}/{name}/${subresource.name}`;
    const of = subresource.of ?? { group, version, kind };
    const body = of.kind === 'Scale' ? META_SCHEMAS.scale : schemaName(resource);
    for (const [verb, action] of ITEM_ACTIONS) {
      if (!subresource.verbs.includes(verb)) continue;
      const main = make(action, path, upperFirst(subresource.name));
      operations.push({ ...main, kind: of, ...(main.body === undefined ? {} : { body }), answer: body });
    }
  }
  return operations;
}

const ITEM_ACTIONS = [
  ['get', 'get'],
  ['update', 'put'],
  ['patch', 'patch'],
  ['delete', 'delete'],
] as const;

const METHODS: { readonly [A in ApiOperation['action']]: ApiOperation['method'] } = {
  list: 'get',
  get: 'get',
  post: 'post',
  put: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
};

const PARAMETERS: { readonly [A in ApiOperation['action']]: readonly ApiParameter[] } = {
  list: LISTING,
  get: [],
  post: WRITING,
  put: WRITING,
  patch: [...WRITING, FORCE],
  delete: DELETING,
  deletecollection: [...LISTING, ...DELETING],
};

function operation(resource: ApiResource, action: ApiOperation['action'], path: string, suffix: string): ApiOperation {
  const { group, version, kind } = resource;
  const name = schemaName(resource);
  const own = action === 'post' || action === 'put' ? { body: name } : {};
  const body = action === 'patch' ? { body: META_SCHEMAS.patch } : own;
  const deleting = action === 'delete' || action === 'deletecollection' ? { body: META_SCHEMAS.deleteOptions } : body;
  const answer = action === 'list' ? schemaName({ ...resource, kind: resource.listKind }) : name;
  return {
    path,
    method: METHODS[action],
    id: `${action}${upperFirst(group.split('.')[0] ?? '')}${upperFirst(version)}${kind}${suffix}`,
    action,
    kind: { group, version, kind },
    parameters: [...pathParameters(path), ...PARAMETERS[action]],
    ...deleting,
    consumes: action === 'patch' ? patchTypes(group) : ['*/*'],
    answer: deleting.body === META_SCHEMAS.deleteOptions ? META_SCHEMAS.status : answer,
  };
}

/** Groups of Kubernetes itself take strategic merge patches; custom resources do not. */
function patchTypes(group: string): readonly string[] {
  const builtin = !group.includes('.') || group.endsWith('.k8s.io');
  return [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(builtin ? ['application/strategic-merge-patch+json'] : []),
  ];
}

function pathParameters(path: string): readonly ApiParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    type: 'string',
    description: name === 'name' ? 'Name of the object.' : 'Namespace of the object.',
  }));
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
