import { apiError } from '@bloomery/kube';
import {
  apiVersionOf,
  isJsonObject,
  type Json,
  type JsonObject,
  type KindDefinition,
  stringifyJson,
} from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { badRequest, methodNotAllowed, noSuchResource } from '../pipeline/api-status.ts';
import { awaitRevision } from '../pipeline/await-revision.ts';
import type { PatchBody } from '../pipeline/patch-object.ts';
import { listObjects, readObject, revisionOf, selectionOf } from '../pipeline/reader.ts';
import { scaleOf } from '../pipeline/scale.ts';
import type { DeleteRequest, WriteRequest } from '../pipeline/write-request.ts';
import { type Resource, toVersion } from '../registry/resource.ts';
import { partialObjectMetadata, renderTable } from '../table/index.ts';
import { jsonAnswer } from './answers.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiAnswer } from './api-request.ts';
import { negotiate, type Representation } from './negotiate.ts';
import { decodeBody, decodeJson, unsupported } from './read-body.ts';
import { isTrue, jsonTextOf, type ResourceCall, tableOptions, wholeNumber } from './resource-call.ts';
import { watchAnswer } from './watch-answer.ts';

const SUBRESOURCES = ['status', 'scale', 'finalize'] as const;

/** Serve a request for objects of a resource. Throws API errors. */
export async function handleResource(call: ResourceCall): Promise<ApiAnswer> {
  const { request, path, resource, version } = call;
  checkSubresource(path, version);
  if (resource.namespaced && path.namespace === undefined && (path.name !== undefined || request.method === 'POST'))
    throw noSuchResource();
  if (!resource.namespaced && path.namespace !== undefined) throw noSuchResource();
  const representation = negotiate(request.headers['accept']);
  if (representation === undefined) {
    const message = 'only the following media types are accepted: application/json, application/yaml';
    throw apiError({ code: 406, reason: 'NotAcceptable', message });
  }
  return path.name === undefined ? handleCollection(call, representation) : handleItem(call, path.name, representation);
}

function checkSubresource(path: ApiPath, version: KindDefinition): void {
  const { subresource } = path;
  if (subresource === undefined) return;
  const offered =
    (subresource === 'status' && (version.statusSubresource || version.kind === 'Namespace')) ||
    (subresource === 'scale' && version.scale !== undefined) ||
    (subresource === 'finalize' && version.kind === 'Namespace');
  if (!offered) throw noSuchResource();
}

async function handleCollection(call: ResourceCall, representation: Representation): Promise<ApiAnswer> {
  const { request } = call;
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return isTrue(request.query.get('watch')) ? watchAnswer(call, representation) : list(call, representation);
    case 'POST': {
      const result = await call.engine.writer.create(writeRequest(call), await body(call));
      return show(call, 201, result.object, representation, result.warnings);
    }
    case 'DELETE':
      return deleteCollection(call);
    default:
      throw methodNotAllowed();
  }
}

async function handleItem(call: ResourceCall, name: string, representation: Representation): Promise<ApiAnswer> {
  const { engine, request, path, resource, version } = call;
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      if (isTrue(request.query.get('watch'))) return watchAnswer(call, representation);
      await awaitAsked(call);
      const object = readObject(engine.store, resource, version, path.namespace ?? '', name);
      if (path.subresource !== 'scale' || version.scale === undefined) return show(call, 200, object, representation);
      return jsonAnswer(200, scaleOf(object, version.scale));
    }
    case 'PUT': {
      const result = await engine.writer.update(writeRequest(call), name, await body(call));
      return show(call, result.created ? 201 : 200, result.object, representation, result.warnings);
    }
    case 'PATCH': {
      const result = await engine.writer.patch(writeRequest(call), name, await patchBody(call));
      return show(call, result.created ? 201 : 200, result.object, representation, result.warnings);
    }
    case 'DELETE': {
      if (path.subresource !== undefined) throw methodNotAllowed();
      const { object, gone } = await engine.writer.delete({ ...(await deleteRequest(call)), name });
      if (!gone) return show(call, 200, object, representation);
      return jsonAnswer(200, deletedStatus(resource, object));
    }
    default:
      throw methodNotAllowed();
  }
}

function deletedStatus(resource: Resource, object: ApiObject): JsonObject {
  const { name, uid } = object.metadata;
  const details = { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function show(
  call: ResourceCall,
  status: number,
  object: ApiObject,
  representation: Representation,
  warnings: readonly string[] = [],
): ApiAnswer {
  if (object.kind === 'Scale' || representation === 'object') return jsonAnswer(status, object, warnings);
  if (representation === 'metadata') return jsonAnswer(status, partialObjectMetadata(object), warnings);
  const { resourceVersion } = object.metadata;
  const table = renderTable(call.version, [object], {
    ...tableOptions(call),
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
  });
  return jsonAnswer(status, table, warnings);
}

async function list(call: ResourceCall, representation: Representation): Promise<ApiAnswer> {
  const { engine, request, path, resource, version } = call;
  const { query } = request;
  await awaitAsked(call);
  const result = listObjects(engine.store, {
    resource,
    version,
    namespace: path.namespace,
    labels: query.get('labelSelector') ?? undefined,
    fields: query.get('fieldSelector') ?? undefined,
    limit: wholeNumber(query.get('limit'), 'limit'),
    continue: query.get('continue') ?? undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
  });
  const metadata: JsonObject = {
    ...(result.continue === undefined ? {} : { continue: result.continue }),
    ...(result.remainingItemCount === undefined ? {} : { remainingItemCount: result.remainingItemCount }),
    resourceVersion: result.resourceVersion,
  };
  const objects = result.items.map((item) => toVersion(resource, item, version));
  if (representation === 'table')
    return jsonAnswer(200, renderTable(version, objects, { ...tableOptions(call), metadata }));
  if (representation === 'metadata') {
    const items = objects.map(partialObjectMetadata);
    return jsonAnswer(200, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
  }
  const head = stringifyJson({ kind: version.listKind, apiVersion: apiVersionOf(version), metadata });
  const items = objects.map(jsonTextOf).join(',');
  return { ...jsonAnswer(200, {}), body: `${head.slice(0, -1)},"items":[${items}]}\n` };
}

async function awaitAsked({ engine, request }: ResourceCall): Promise<void> {
  const asked = revisionOf(request.query.get('resourceVersion') ?? undefined);
  await awaitRevision(engine.store, engine.clock, asked, request.signal);
}

async function deleteCollection(call: ResourceCall): Promise<ApiAnswer> {
  const { engine, path, resource, version, request } = call;
  if ((resource.namespaced && path.namespace === undefined) || resource.computed !== undefined)
    throw methodNotAllowed();
  const { selects } = selectionOf(
    resource,
    version,
    request.query.get('labelSelector') ?? undefined,
    request.query.get('fieldSelector') ?? undefined,
  );
  const options = await deleteRequest(call);
  const chosen = engine.store.list(resource.id, path.namespace).filter(selects);
  await Promise.all(
    chosen.map(async (object) => {
      try {
        await engine.writer.delete({
          ...options,
          name: object.metadata.name,
          uid: undefined,
          resourceVersion: undefined,
        });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'BLM_API_NOT_FOUND')) throw error;
      }
    }),
  );
  return jsonAnswer(200, {
    kind: version.listKind,
    apiVersion: apiVersionOf(version),
    metadata: { resourceVersion: String(engine.store.revision) },
    items: chosen.map((object) => toVersion(resource, object, version)),
  });
}

function writeRequest(call: ResourceCall): WriteRequest {
  const { request, path, resource, version } = call;
  const subresource = SUBRESOURCES.find((name) => name === path.subresource);
  const validation = request.query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  const manager = request.query.get('fieldManager') ?? '';
  if (manager.length > 128 || /[^\x20-\x7e]/.test(manager))
    throw badRequest('fieldManager: at most 128 printable characters');
  return {
    resource,
    version,
    namespace: path.namespace ?? '',
    subresource,
    manager: manager === '' ? (request.headers['user-agent']?.split('/')[0]?.slice(0, 128) ?? 'unknown') : manager,
    dryRun: isDryRun(request.query.getAll('dryRun')),
    fieldValidation: validation,
  };
}

function isDryRun(values: readonly string[]): boolean {
  const given = values.filter((v) => v !== '');
  if (given.some((v) => v !== 'All'))
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(given[0])}: supported values: "All"`);
  return given.length > 0;
}

async function body(call: ResourceCall): Promise<Json> {
  return decodeBody(await call.request.body(), call.request.headers['content-type']);
}

const PATCH_TYPES = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';

async function patchBody(call: ResourceCall): Promise<PatchBody> {
  const { request, resource } = call;
  const type = request.headers['content-type']?.split(';')[0]?.trim() ?? '';
  const bytes = await request.body();
  const force = request.query.get('force');
  if (force !== null && type !== 'application/apply-patch+yaml') {
    throw apiError({
      code: 422,
      reason: 'Invalid',
      message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      details: {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: may not be specified for non-apply patch',
            field: 'force',
          },
        ],
      },
    });
  }
  switch (type) {
    case 'application/json-patch+json':
      return { type: 'json', body: decodeJson(bytes) };
    case 'application/merge-patch+json':
      return { type: 'merge', body: decodeJson(bytes) };
    case 'application/strategic-merge-patch+json':
      if (!resource.rules.builtin) throw unsupported(type, PATCH_TYPES);
      return { type: 'strategic', body: decodeJson(bytes) };
    case 'application/apply-patch+yaml':
      if ((request.query.get('fieldManager') ?? '') === '') {
        throw apiError({
          code: 422,
          reason: 'Invalid',
          message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
          details: {
            group: 'meta.k8s.io',
            kind: 'PatchOptions',
            causes: [
              {
                reason: 'FieldValueRequired',
                message: 'Required value: is required for apply patch',
                field: 'fieldManager',
              },
            ],
          },
        });
      }
      return { type: 'apply', body: decodeBody(bytes, type), force: isTrue(force) };
    default:
      throw unsupported(type, PATCH_TYPES);
  }
}

async function deleteRequest(call: ResourceCall): Promise<Omit<DeleteRequest, 'name'>> {
  const { request, path, resource, version } = call;
  const bytes = await request.body();
  const options = bytes.length === 0 ? {} : decodeBody(bytes, request.headers['content-type']);
  const given: JsonObject = isJsonObject(options) ? options : {};
  const preconditions = isJsonObject(given['preconditions']) ? given['preconditions'] : {};
  const orphan = given['orphanDependents'] ?? request.query.get('orphanDependents');
  const policy =
    given['propagationPolicy'] ??
    request.query.get('propagationPolicy') ??
    (orphan === true || orphan === 'true' ? 'Orphan' : undefined);
  if (policy !== undefined && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan') {
    throw badRequest(
      `propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
    );
  }
  const dryRun = [
    ...request.query.getAll('dryRun'),
    ...(Array.isArray(given['dryRun']) ? given['dryRun'].map(String) : []),
  ];
  return {
    resource,
    version,
    namespace: path.namespace ?? '',
    propagationPolicy: policy,
    uid: text(preconditions['uid']),
    resourceVersion: text(preconditions['resourceVersion']),
    dryRun: isDryRun(dryRun),
  };
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
