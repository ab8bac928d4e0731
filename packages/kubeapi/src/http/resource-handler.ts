import type { JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { badRequest, methodNotAllowed, noSuchResource, notFound } from '../pipeline/api-status.ts';
import { awaitRevision } from '../pipeline/await-revision.ts';
import { readObject, revisionOf } from '../pipeline/reader.ts';
import { shownScale } from '../pipeline/scale.ts';
import type { WriteResult } from '../pipeline/write-request.ts';
import type { Resource } from '../registry/resource.ts';
import { partialObjectMetadata, renderTable } from '../table/index.ts';
import { notAcceptable, shownAnswer, withWarning } from './answers.ts';
import type { ApiAnswer } from './api-request.ts';
import { deleteCollection } from './delete-collection.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { listAnswer } from './list-answer.ts';
import { isPretty, negotiate, type Representation } from './negotiate.ts';
import { isTrue, type ResourceCall, tableOptions } from './resource-call.ts';
import { watchAnswer } from './watch-answer.ts';
import { patchOf, writeOf } from './write-call.ts';

/** Serve a request for objects of a resource. Throws API errors. */
export async function handleResource(call: ResourceCall): Promise<ApiAnswer> {
  const answer = await answerResource(call);
  const { deprecation } = call.version;
  return deprecation === undefined ? answer : withWarning(answer, deprecation);
}

async function answerResource(call: ResourceCall): Promise<ApiAnswer> {
  const { request, path, resource } = call;
  // No object has such a name: it is a path that nothing is served at.
  if (path.name?.includes('/') === true) throw noSuchResource();
  checkSubresource(call);
  checkScope(call);
  const wanted = negotiate(request.headers['accept']);
  if (wanted === undefined) throw notAcceptable();
  if (path.watch || isCollectionWatch(call)) return watchAnswer(call, wanted);
  checkShape(call, wanted);
  const pretty = wanted.pretty || isPretty(request.query.get('pretty'), request.headers['user-agent']);
  const representation = pretty ? { ...wanted, pretty } : wanted;
  if (path.name !== undefined) return handleItem(call, path.name, representation);
  if (resource.computed !== undefined && request.method !== 'GET' && request.method !== 'HEAD')
    throw methodNotAllowed();
  return handleCollection(call, representation);
}

function isCollectionWatch({ path, request: { method, query } }: ResourceCall): boolean {
  return path.name === undefined && (method === 'GET' || method === 'HEAD') && isTrue(query.get('watch'));
}

function checkSubresource({ path, version, resource }: ResourceCall): void {
  const { subresource, name = '' } = path;
  if (subresource === undefined) return;
  const offered =
    (subresource === 'status' && (version.statusSubresource || version.kind === 'Namespace')) ||
    (subresource === 'scale' && version.scale !== undefined) ||
    (subresource === 'finalize' && version.kind === 'Namespace');
  if (offered) return;
  if (version.group === '' && version.kind === 'Pod' && RUNNING.has(subresource)) {
    throw badRequest(`Pods are kept as data here: nothing runs them, so there is no ${subresource}`);
  }
  throw resource.rules.builtin ? noSuchResource() : notFound(resource, name);
}

/** What only a running pod has. */
const RUNNING: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Over all namespaces there are only lists and watches; Kubernetes' own kinds answer anything else with 405, not with 404. */
function checkScope({ path, resource, request: { method } }: ResourceCall): void {
  if (!resource.namespaced) {
    if (path.namespace !== undefined) throw noSuchResource();
    return;
  }
  if (path.namespace !== undefined) return;
  if (path.name !== undefined) throw noSuchResource();
  if (method === 'GET' || method === 'HEAD') return;
  throw resource.rules.builtin ? methodNotAllowed() : noSuchResource();
}

/** Metadata of one object and metadata of a list are asked for by different names. Refused before anything is written. */
function checkShape({ path, version, request: { method } }: ResourceCall, { shape }: Representation): void {
  const isList = path.name === undefined && method !== 'POST';
  if (isList && shape === 'metadata')
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${version.listKind})`,
    );
  if (!isList && shape === 'metadataList')
    throw notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${version.kind})`,
    );
}

async function handleCollection(call: ResourceCall, representation: Representation): Promise<ApiAnswer> {
  switch (call.request.method) {
    case 'GET':
    case 'HEAD':
      return listAnswer(call, representation);
    case 'POST': {
      const write = await writeOf(call, 'CreateOptions');
      return written(call, await call.engine.writer.create(write.request, write.body), representation, 201);
    }
    case 'DELETE':
      return deleteCollection(call, representation);
    default:
      throw methodNotAllowed();
  }
}

async function handleItem(call: ResourceCall, name: string, representation: Representation): Promise<ApiAnswer> {
  const { engine, request, path, resource, version } = call;
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      if (isTrue(request.query.get('export')))
        throw badRequest('the export parameter, deprecated since v1.14, is no longer supported');
      const asked = revisionOf(request.query.get('resourceVersion') ?? undefined);
      await awaitRevision(engine.store, engine.clock, asked, request.signal);
      const object = await readObject(engine, resource, version, path.namespace ?? '', name);
      if (path.subresource !== 'scale' || version.scale === undefined) return show(call, 200, object, representation);
      return shownAnswer(200, shownScale(resource, object, version.scale), representation);
    }
    case 'PUT': {
      const write = await writeOf(call, 'UpdateOptions');
      return written(call, await engine.writer.update(write.request, name, write.body), representation);
    }
    case 'PATCH': {
      const patch = await patchOf(call);
      return written(call, await engine.writer.patch(patch.request, name, patch.body), representation);
    }
    case 'DELETE': {
      if (path.subresource !== undefined) throw notOffered(resource, 'delete');
      const options = await deleteOptionsOf(request);
      const namespace = path.namespace ?? '';
      const deletion = { resource, version, namespace, name, user: call.user, ...options };
      const { object, gone, warnings } = await engine.writer.delete(deletion);
      if (!gone) return show(call, 200, object, representation, warnings);
      return shownAnswer(200, deletedStatus(resource, object), representation, warnings);
    }
    default:
      throw path.subresource !== undefined && request.method === 'POST'
        ? notOffered(resource, 'create')
        : methodNotAllowed();
  }
}

function written(call: ResourceCall, result: WriteResult, representation: Representation, code = 200): ApiAnswer {
  return show(call, result.created ? 201 : code, result.object, representation, result.warnings);
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
  return shownAnswer(status, shapeOf(call, object, representation), representation, warnings);
}

function shapeOf(call: ResourceCall, object: ApiObject, { shape }: Representation): JsonObject {
  if (object.kind === 'Scale' || shape === 'object') return object;
  if (shape !== 'table') return partialObjectMetadata(object);
  const { resourceVersion } = object.metadata;
  return renderTable(call.version, [object], {
    ...tableOptions(call),
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
  });
}

/** Custom resources say what their subresources do not do. */
function notOffered(resource: Resource, verb: string): Error {
  if (resource.rules.builtin) return methodNotAllowed();
  const { group, plural } = resource;
  const message = `${verb} is not supported on resources of kind "${plural}.${group}"`;
  return methodNotAllowed(message, { group, kind: plural });
}
