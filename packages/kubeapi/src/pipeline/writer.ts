import { apiError } from '@bloomery/kube';
import { apiVersionOf, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { Clock, RandomBytes } from '@bloomery/ports';
import { type ApiMeta, type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, type PatchResult } from '../patch/index.ts';
import { toStorage, toVersion } from '../registry/resource.ts';
import { invalid } from '../schema/index.ts';
import type { Store } from '../store/store.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbiddenBecause,
  invalidObject,
  methodNotAllowed,
  noSuchResource,
  notFound,
} from './api-status.ts';
import type { FieldManagement } from './field-management.ts';
import { isSameObject, metadataProblems, newFinalizerProblems, specChanged } from './metadata-rules.ts';
import { isHeldNamespace, withFinalizersOf } from './namespace-rules.ts';
import { idOf } from './object-id.ts';
import { createRemover } from './remove-object.ts';
import { readScale, scaleOf, writeScale } from './scale.ts';
import { readBody, shapeObject, shapeOnly } from './shape-body.ts';
import type { DeleteRequest, WriteRequest, WriteResult } from './write-request.ts';

/** The patch of a PATCH request, by content type. */
export type PatchBody =
  | { readonly type: 'merge' | 'json' | 'strategic'; readonly body: Json }
  | { readonly type: 'apply'; readonly body: Json; readonly force: boolean };

export interface WriterDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fields: FieldManagement | undefined;
}

/** All writes of the API. Between reading the present state and staging the next there is no await: writers never race. */
export interface Writer {
  create(request: WriteRequest, body: Json): Promise<WriteResult>;
  update(request: WriteRequest, name: string, body: Json): Promise<WriteResult>;
  patch(request: WriteRequest, name: string, patch: PatchBody): Promise<WriteResult>;
  /** The object with its deletion begun (`gone` false), or its last state (`gone` true). */
  delete(request: DeleteRequest): Promise<{ readonly object: ApiObject; readonly gone: boolean }>;
}

const TERMINATING = 'create not allowed while custom resource definition is terminating';
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SERVER_OWNED = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
] as const;

/** Make the writer over a store. */
export function createWriter(deps: WriterDeps): Writer {
  const { store, clock, random } = deps;
  const now = (): string => `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;

  function checkNamespace(request: WriteRequest, name: string): void {
    if (!request.resource.namespaced) return;
    const namespace = store.head({ resource: 'namespaces', namespace: '', name: request.namespace });
    if (namespace === undefined) {
      throw notFound({ id: 'namespaces', group: '', plural: 'namespaces' }, request.namespace);
    }
    if (namespace.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${request.namespace} because it is being terminated`;
    throw forbiddenBecause(request.resource, name, why, {
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${request.namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    });
  }

  function freshName(request: WriteRequest, prefix: string): string {
    for (let attempt = 0; attempt < 8; attempt++) {
      const suffix = [...random(5)].map((byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length]).join('');
      const name = `${prefix.slice(0, 248)}${suffix}`;
      if (store.head(idOf(request, name)) === undefined) return name;
    }
    throw alreadyExists(request.resource, prefix);
  }

  /** `asked` is what the request wants, before the endpoint keeps what it may not change: that is what it owns. */
  function tracked(
    request: WriteRequest,
    before: ApiObject | undefined,
    after: ApiObject,
    asked: ApiObject = after,
  ): ApiObject {
    if (deps.fields === undefined) return after;
    const { resource, version, manager, subresource } = request;
    const write = { resource, version, before, after: asked, manager, subresource, time: now() };
    return withMeta(after, { managedFields: deps.fields.track(write) });
  }

  async function create(request: WriteRequest, body: Json): Promise<WriteResult> {
    const { object: given, unknownMeta } = readBody(request, body);
    return createFrom(request, given, unknownMeta, (object) => tracked(request, undefined, object));
  }

  async function createFrom(
    request: WriteRequest,
    given: ApiObject,
    unknownMeta: readonly string[],
    own: (object: ApiObject) => ApiObject,
  ): Promise<WriteResult> {
    const { resource, version } = request;
    if (resource.terminating === true) throw methodNotAllowed(TERMINATING);
    if (given.metadata.resourceVersion !== undefined) {
      throw apiError({
        code: 500,
        reason: 'InternalError',
        message: 'resourceVersion should not be set on objects to be created',
      });
    }
    const prefix = given.metadata.generateName;
    const name = given.metadata.name || (prefix === undefined ? '' : freshName(request, prefix));
    checkNamespace(request, name);
    const { status, ...withoutStatus } = given;
    const bare = resource.storage.statusSubresource ? asApiObject(withoutStatus) : given;
    const named = withMeta(bare, {
      name,
      uid: uuid(random),
      creationTimestamp: now(),
      generation: resource.rules.generation ? 1 : undefined,
      deletionTimestamp: undefined,
      deletionGracePeriodSeconds: undefined,
    });
    const shaped = shapeObject(request, named, undefined, unknownMeta, false);
    const problems = metadataProblems(resource, shaped.object.metadata);
    if (problems.length > 0) throw invalidObject(resource, name, problems);
    if (store.head(idOf(request, name)) !== undefined) throw alreadyExists(resource, name);
    const final = toStorage(resource, own(shaped.object), version);
    if (request.dryRun)
      return { object: toVersion(resource, final, version), warnings: shaped.warnings, created: true };
    const stored = await store.put(idOf(request, name), (resourceVersion) => withMeta(final, { resourceVersion }));
    return { object: toVersion(resource, stored, version), warnings: shaped.warnings, created: true };
  }

  async function update(request: WriteRequest, name: string, body: Json): Promise<WriteResult> {
    const before = store.head(idOf(request, name));
    if (request.subresource === 'scale') return scale(request, name, before, () => body);
    const { object: given, unknownMeta } = readBody(request, body);
    if (given.metadata.name !== undefined && given.metadata.name !== name) {
      throw badRequest(`the name of the object (${given.metadata.name}) does not match the name on the URL (${name})`);
    }
    if (before === undefined) {
      if (!request.resource.rules.createOnUpdate || request.subresource !== undefined)
        throw notFound(request.resource, name);
      return create(request, withMeta(given, { name, resourceVersion: undefined }));
    }
    return replace(request, name, before, withMeta(given, { name }), unknownMeta, false);
  }

  async function patch(request: WriteRequest, name: string, patchBody: PatchBody): Promise<WriteResult> {
    const before = store.head(idOf(request, name));
    if (patchBody.type === 'apply') return apply(request, name, before, patchBody.body, patchBody.force);
    if (before === undefined) throw notFound(request.resource, name);
    if (request.subresource === 'scale') {
      return scale(request, name, before, (present) => patched(request, present, patchBody, name));
    }
    const present = toVersion(request.resource, before, request.version);
    const result = patched(request, present, patchBody, name);
    refuseRetyping(request, name, result);
    const { object, unknownMeta } = readBody(request, {
      ...result,
      apiVersion: present.apiVersion,
      kind: present.kind,
    });
    if (object.metadata.name !== name)
      throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
    return replace(request, name, before, object, unknownMeta, true);
  }

  function patched(
    request: WriteRequest,
    present: JsonObject,
    body: Extract<PatchBody, { type: 'merge' | 'json' | 'strategic' }>,
    name: string,
  ): JsonObject {
    const result: PatchResult =
      body.type === 'json'
        ? applyJsonPatch(present, body.body)
        : body.type === 'merge'
          ? applyMergePatch(present, body.body)
          : applyStrategicMergePatch(request.version.schema, present, body.body);
    if (result.ok) return result.object;
    const { code, reason, message, details, cause } = result.refusal;
    throw apiError({ code, reason, message, ...(details === undefined ? {} : { details }) }, cause ?? name);
  }

  function refuseRetyping(request: WriteRequest, name: string, result: JsonObject): void {
    const { version, resource } = request;
    const wanted = { apiVersion: apiVersionOf(version), kind: version.kind };
    for (const field of ['apiVersion', 'kind'] as const) {
      const value = result[field] ?? '';
      if (value !== wanted[field])
        throw invalidObject(resource, name, [invalid(field, value, `must be ${wanted[field]}`)]);
    }
  }

  async function apply(
    request: WriteRequest,
    name: string,
    before: ApiObject | undefined,
    body: Json,
    force: boolean,
  ): Promise<WriteResult> {
    const { fields } = deps;
    if (fields === undefined) {
      throw apiError({
        code: 415,
        reason: 'UnsupportedMediaType',
        message: 'server-side apply is not offered for this resource',
      });
    }
    if (!isJsonObject(body)) throw badRequest('error decoding YAML: the applied configuration must be an object');
    const asApplied: WriteRequest = { ...request, applied: true };
    const wanted = apiVersionOf(request.version);
    if (body['apiVersion'] !== wanted) {
      const given = String(body['apiVersion'] ?? '');
      throw badRequest(
        `Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${wanted}`,
      );
    }
    const { metadata } = body;
    if (isJsonObject(metadata) && metadata['managedFields'] !== undefined)
      throw badRequest('metadata.managedFields must be nil');
    const { object: read, unknownMeta } = readBody(request, body);
    const { resource, version, manager, subresource } = request;
    const { name: givenName, uid } = read.metadata;
    if (givenName !== undefined && givenName !== name) {
      throw badRequest(`the name of the object (${givenName}) does not match the name on the URL (${name})`);
    }
    if (before === undefined && uid !== undefined) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(resource, name, why);
    }
    const applied = withMeta(read, { name });
    const input = { resource, version, manager, subresource, time: now(), force };
    if (before === undefined) {
      if (subresource !== undefined) throw notFound(resource, name);
      const merged = fields.apply({ ...input, before: undefined, applied });
      return createFrom(asApplied, merged, unknownMeta, (object) => object);
    }
    const present = toVersion(resource, before, version);
    const merged = fields.apply({ ...input, before: present, applied });
    return replace(asApplied, name, before, merged, unknownMeta, true, (object) => object);
  }

  async function replace(
    request: WriteRequest,
    name: string,
    before: ApiObject,
    given: ApiObject,
    unknownMeta: readonly string[],
    asPatch: boolean,
    own?: (object: ApiObject) => ApiObject,
  ): Promise<WriteResult> {
    const { resource, version, subresource } = request;
    const present = toVersion(resource, before, version);
    checkIdentity(request, name, present, given.metadata, asPatch);
    const candidate =
      subresource === 'status'
        ? withStatusOf(present, given)
        : subresource === 'finalize'
          ? withFinalizersOf(given, present)
          : withServerOwned(request, present, given);
    const shaped = shapeObject(request, candidate, present, unknownMeta, asPatch);
    const problems = [
      ...metadataProblems(resource, shaped.object.metadata),
      ...newFinalizerProblems(present, shaped.object.metadata),
    ];
    if (problems.length > 0) throw invalidObject(resource, name, problems);
    const asked = subresource === 'status' || subresource === 'finalize' ? shapeOnly(request, given) : shaped.object;
    const owned = own === undefined ? tracked(request, present, shaped.object, asked) : own(shaped.object);
    const stored = toStorage(resource, owned, version);
    const raised = resource.rules.generation && specChanged(resource, before, stored);
    const after = raised ? withMeta(stored, { generation: (before.metadata.generation ?? 0) + 1 }) : stored;
    return commit(request, name, before, after, shaped.warnings);
  }

  async function commit(
    request: WriteRequest,
    name: string,
    before: ApiObject,
    after: ApiObject,
    warnings: readonly string[],
  ): Promise<WriteResult> {
    const { resource, version } = request;
    const dying = before.metadata.deletionTimestamp !== undefined && isReleased(after);
    if (!dying && isSameObject(before, after))
      return { object: toVersion(resource, before, version), warnings, created: false };
    if (request.dryRun) return { object: toVersion(resource, after, version), warnings, created: false };
    const id = idOf(request, name);
    const build = (resourceVersion: string): ApiObject => withMeta(after, { resourceVersion });
    if (dying) {
      // The answer shows the last state under its old resourceVersion; only the DELETED event carries the new one.
      const last = withMeta(await store.remove(id, build), { resourceVersion: before.metadata.resourceVersion });
      return { object: toVersion(resource, last, version), warnings, created: false };
    }
    const stored = await store.put(id, build);
    return { object: toVersion(resource, stored, version), warnings, created: false };
  }

  function checkIdentity(
    request: WriteRequest,
    name: string,
    present: ApiObject,
    given: ApiMeta,
    asPatch: boolean,
  ): void {
    const { resource } = request;
    if (given.uid !== undefined && given.uid !== present.metadata.uid) {
      if (asPatch) throw invalidObject(resource, name, [invalid('metadata.uid', given.uid, 'field is immutable')]);
      const why = `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${present.metadata.uid}`;
      throw conflict(resource, name, why);
    }
    if (
      asPatch &&
      given.deletionTimestamp !== present.metadata.deletionTimestamp &&
      given.deletionTimestamp !== undefined
    ) {
      throw invalidObject(resource, name, [
        invalid('metadata.deletionTimestamp', given.deletionTimestamp, 'field is immutable'),
      ]);
    }
    if (given.resourceVersion === undefined || given.resourceVersion === '0') {
      if (resource.rules.builtin || asPatch) return;
      // kube-apiserver names the plural here, not the kind.
      throw invalidObject({ group: resource.group, kind: resource.plural }, name, [
        invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    if (given.resourceVersion !== present.metadata.resourceVersion) throw conflict(resource, name);
  }

  async function scale(
    request: WriteRequest,
    name: string,
    before: ApiObject | undefined,
    next: (present: JsonObject) => Json,
  ): Promise<WriteResult> {
    const paths = request.version.scale;
    if (paths === undefined) throw noSuchResource();
    if (before === undefined) throw notFound(request.resource, name);
    const present = toVersion(request.resource, before, request.version);
    const replicas = readScale(next(scaleOf(present, paths)), name);
    const main: WriteRequest = { ...request, subresource: undefined };
    const result = await replace(main, name, before, writeScale(present, paths, replicas), [], true, (object) =>
      tracked(request, present, object),
    );
    return { ...result, object: asApiObject(scaleOf(result.object, paths)) };
  }

  return { create, update, patch, delete: createRemover(store, now) };
}

/** No finalizer holds the object any more. */
function isReleased(object: ApiObject): boolean {
  return (object.metadata.finalizers ?? []).length === 0 && !isHeldNamespace(object);
}

function withStatusOf(present: ApiObject, given: ApiObject): ApiObject {
  const { status: _, ...rest } = present;
  const managedFields = given.metadata.managedFields;
  const object = asApiObject(given['status'] === undefined ? rest : { ...rest, status: given['status'] });
  return managedFields === undefined ? object : withMeta(object, { managedFields });
}

function withServerOwned(request: WriteRequest, present: ApiObject, sent: ApiObject): ApiObject {
  const given = request.resource.id === 'namespaces' ? withFinalizersOf(present, sent) : sent;
  const owned = Object.fromEntries(SERVER_OWNED.map((field) => [field, present.metadata[field]]));
  const managedFields = given.metadata.managedFields ?? present.metadata.managedFields;
  const metadata = { ...owned, managedFields, resourceVersion: present.metadata.resourceVersion };
  if (!request.resource.storage.statusSubresource) return withMeta(given, metadata);
  const { status: _, ...rest } = given;
  const status = present['status'];
  return withMeta(asApiObject(status === undefined ? rest : { ...rest, status }), metadata);
}

function uuid(random: RandomBytes): string {
  const bytes = Buffer.from(random(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
