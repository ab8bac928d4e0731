import { apiVersionOf, type JsonObject, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { objectText } from '../object-text.ts';
import { awaitRevision } from '../pipeline/await-revision.ts';
import { type ListResult, listObjects, revisionOf } from '../pipeline/reader.ts';
import { toVersion } from '../registry/resource.ts';
import { partialObjectMetadata, renderTable } from '../table/index.ts';
import { JSON_HEADERS, shownAnswer } from './answers.ts';
import type { ApiAnswer, ApiBody } from './api-request.ts';
import { listOptionsOf } from './list-options.ts';
import type { Representation } from './negotiate.ts';
import { type ResourceCall, tableOptions } from './resource-call.ts';

/** A list is written in pieces of about this size, so that a large one never stands in memory as a whole. */
const PIECE_BYTES = 160 * 1024;
const FIRST_PIECE_BYTES = 32 * 1024;
/** UTF-8 of one character of a string, at most. */
const MOST_BYTES = 3;

/** A list of objects, or a page of it. @throws 400, 410, 422, 504. */
export async function listAnswer(call: ResourceCall, representation: Representation): Promise<ApiAnswer> {
  const { engine, request, path, resource, version } = call;
  const options = listOptionsOf(request.query, false);
  await awaitRevision(engine.store, engine.clock, revisionOf(options.resourceVersion), request.signal);
  const result = listObjects(engine.store, { ...options, resource, version, namespace: path.namespace });
  await engine.conversions.prepare(resource, result.items, version);
  return collectionAnswer(call, result, representation);
}

/** The answer that shows these objects (in the stored version, prepared for the caller's) as a list. */
export function collectionAnswer(call: ResourceCall, result: ListResult, representation: Representation): ApiAnswer {
  const { head, field, items } = partsOf(call, result, representation);
  if (representation.format === 'yaml' || representation.pretty)
    return shownAnswer(200, { ...head, [field]: [...items].map(({ json }) => json) }, representation);
  return { status: 200, headers: JSON_HEADERS, body: bodyOf(piecesOf(stringifyJson(head), field, items)) };
}

/** One item of a list: as JSON, and as its text, each made when it is asked for. */
interface ListItem {
  readonly json: JsonObject;
  readonly text: string;
}

function partsOf(
  call: ResourceCall,
  result: ListResult,
  { shape }: Representation,
): { readonly head: JsonObject; readonly field: string; readonly items: Iterable<ListItem> } {
  const { resource, version } = call;
  const metadata: JsonObject = {
    ...continueOf(result, shape === 'object' && !resource.rules.builtin),
    ...(result.remainingItemCount === undefined ? {} : { remainingItemCount: result.remainingItemCount }),
    resourceVersion: result.resourceVersion,
  };
  const objects = mapped(result.items, (item) => toVersion(resource, item, version));
  if (shape === 'table') {
    const { rows: _none, ...head } = renderTable(version, [], { ...tableOptions(call), metadata });
    const options = { ...tableOptions(call), withoutDefinitions: true };
    return { head, field: 'rows', items: mapped(objects, (o) => itemOf(rowOf(renderTable(version, [o], options)))) };
  }
  if (shape === 'object') {
    const head = { kind: version.listKind, apiVersion: apiVersionOf(version), metadata };
    const itemOfList = resource.rules.builtin
      ? typedItem(`{"apiVersion":"${head.apiVersion}","kind":"${version.kind}",`)
      : storedItem;
    return { head, field: 'items', items: mapped(objects, itemOfList) };
  }
  const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
  return { head, field: 'items', items: mapped(objects, (object) => itemOf(partialObjectMetadata(object))) };
}

/** Whole lists of custom resources always have the field, as upstream's do. */
function continueOf(result: ListResult, always: boolean): JsonObject {
  if (result.continue === undefined && !always) return {};
  return { continue: result.continue ?? '' };
}

/** Lists of Kubernetes' own kinds say once what their items are. `head`: how the text of most objects begins. */
function typedItem(head: string): (object: ApiObject) => ListItem {
  return (object) => {
    const text = objectText(object);
    const { apiVersion: _version, kind: _kind, ...json } = object;
    return { json, text: text.startsWith(head) ? `{${text.slice(head.length)}` : stringifyJson(json) };
  };
}

function storedItem(object: ApiObject): ListItem {
  return {
    json: object,
    get text() {
      return objectText(object);
    },
  };
}

function itemOf(json: JsonObject): ListItem {
  return {
    json,
    get text() {
      return stringifyJson(json);
    },
  };
}

function rowOf(table: JsonObject): JsonObject {
  const rows = table['rows'];
  return (Array.isArray(rows) ? rows[0] : undefined) ?? {};
}

function* mapped<From, To>(all: Iterable<From>, change: (one: From) => To): Iterable<To> {
  for (const one of all) yield change(one);
}

function* piecesOf(head: string, field: string, items: Iterable<ListItem>): Generator<Uint8Array, void> {
  let piece = Buffer.allocUnsafeSlow(FIRST_PIECE_BYTES);
  let length = 0;
  for (const text of textsOf(head, field, items)) {
    const most = text.length * MOST_BYTES;
    if (length + most > piece.length) {
      if (length > 0) yield piece.subarray(0, length);
      piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, most));
      length = 0;
    }
    length += piece.write(text, length);
  }
  yield piece.subarray(0, length);
}

function* textsOf(head: string, field: string, items: Iterable<ListItem>): Generator<string, void> {
  yield `${head.slice(0, -1)},"${field}":[`;
  let isFirst = true;
  for (const { text } of items) {
    if (!isFirst) yield ',';
    isFirst = false;
    yield text;
  }
  yield ']}\n';
}

/** What fits into one piece is an answer of known length. */
function bodyOf(pieces: Generator<Uint8Array, void>): ApiBody {
  const first = pieces.next().value ?? new Uint8Array();
  const second = pieces.next();
  if (second.done === true) return first;
  return { pieces: following([first, second.value], pieces) };
}

function* following(first: readonly Uint8Array[], rest: Iterable<Uint8Array>): Iterable<Uint8Array> {
  yield* first;
  yield* rest;
}
