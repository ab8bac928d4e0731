import { apiError } from '@bloomery/kube';
import type { JsonObject, KindDefinition, KubeObject } from '@bloomery/model';
import { isJsonObject, parseJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { selectableView } from '../builtin/selectable-fields.ts';
import { isPrepared, type Resource, toVersion } from '../registry/resource.ts';
import {
  demandedValue,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../selectors/index.ts';
import { keyOfId, type Store } from '../store/store.ts';
import type { Conversions } from '../webhooks/conversions.ts';
import { badRequest, futureRevision, notFound } from './api-status.ts';

export interface ListRequest {
  readonly resource: Resource;
  readonly version: KindDefinition;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  readonly labels?: string | undefined;
  readonly fields?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}

export interface ListResult {
  /** In the stored version; prepare them, then show them with `toVersion`. */
  readonly items: readonly ApiObject[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
  readonly remainingItemCount: number | undefined;
}

/** What reads work with. */
export interface Reading {
  readonly store: Store;
  readonly conversions: Conversions;
}

/** Which objects a selector pair picks, and the one name that it demands, if it does. */
export interface Selection {
  readonly selects: (object: ApiObject) => boolean;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly all: boolean;
}

/** Parse label and field selectors. @throws 400. Fields are looked up in the caller's version. */
export function selectionOf(
  resource: Resource,
  version: KindDefinition,
  labelText: string | undefined,
  fieldText: string | undefined,
): Selection {
  const labels = parseLabelSelector(labelText ?? '');
  if (!labels.ok) throw badRequest(labels.message);
  const fields = parseFieldSelector(fieldText ?? '', version.selectableFields, resource.rules.builtin);
  if (!fields.ok) throw badRequest(fields.message);
  const all = labels.selector.length === 0 && fields.selector.length === 0;
  return {
    all,
    name: demandedValue(fields.selector, 'metadata.name'),
    namespace: demandedValue(fields.selector, 'metadata.namespace'),
    selects: all
      ? () => true
      : (object) =>
          matchesLabels(labels.selector, object.metadata.labels) &&
          (fields.selector.length === 0 || matchesFields(fields.selector, selectable(resource, object, version))),
  };
}

/** Selecting cannot wait: where a webhook has not been asked yet, the fields are those of the stored version. */
function selectable(resource: Resource, object: ApiObject, version: KindDefinition): JsonObject {
  const shown = isPrepared(resource, object, version) ? toVersion(resource, object, version) : object;
  return resource.rules.builtin ? selectableView(shown) : shown;
}

/** One object in the caller's version. @throws 404. */
export async function readObject(
  { store, conversions }: Reading,
  resource: Resource,
  version: KindDefinition,
  namespace: string,
  name: string,
): Promise<ApiObject> {
  const found =
    resource.computed === undefined
      ? store.get({ resource: resource.id, namespace: resource.namespaced ? namespace : '', name })
      : computedObject(resource.computed.get(resource.namespaced ? { name, namespace } : { name }));
  if (found === undefined) throw notFound(resource, name);
  await conversions.prepare(resource, [found], version);
  return toVersion(resource, found, version);
}

/** A list, or a page of it. All pages of one list show the same revision. @throws 400, 410, 422, 504. */
export function listObjects(store: Store, request: ListRequest): ListResult {
  const { resource, version } = request;
  const selection = selectionOf(resource, version, request.labels, request.fields);
  const namespace = resource.namespaced ? request.namespace : undefined;
  const start = startOf(store, request);
  const objects = candidates(store, resource, namespace, selection, start.rev);
  const from = start.key === undefined ? 0 : firstNotBefore(objects, start.key);
  const limit = request.limit !== undefined && request.limit > 0 ? request.limit : objects.length;
  // One more than the page holds: where the next page begins.
  const found = selection.all ? objects.slice(from, from + limit + 1) : selected(objects, from, selection, limit + 1);
  const items = found.length > limit ? found.slice(0, limit) : found;
  const next = found[limit];
  const more = next === undefined ? undefined : encodeContinue(start.rev, keyOf(next));
  return {
    items,
    resourceVersion: String(start.rev),
    continue: more,
    remainingItemCount: more !== undefined && selection.all ? objects.length - from - items.length : undefined,
  };
}

function selected(
  objects: readonly ApiObject[],
  from: number,
  selection: Selection,
  atMost: number,
): readonly ApiObject[] {
  const found: ApiObject[] = [];
  for (let i = from; i < objects.length && found.length < atMost; i++) {
    const object = objects[i];
    if (object !== undefined && selection.selects(object)) found.push(object);
  }
  return found;
}

/** The first place in a list in key order whose object has this key or a later one. */
function firstNotBefore(objects: readonly ApiObject[], key: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const object = objects[middle];
    if (object !== undefined && keyOf(object) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** In key order. */
function candidates(
  store: Store,
  resource: Resource,
  namespace: string | undefined,
  selection: Selection,
  rev: number,
): readonly ApiObject[] {
  if (resource.computed !== undefined) {
    const objects = resource.computed.list(namespace).flatMap((o) => computedObject(o) ?? []);
    return objects.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
  if (rev !== store.revision) return store.listAt(resource.id, rev, namespace);
  const scope = resource.namespaced ? (namespace ?? selection.namespace) : '';
  if (selection.name === undefined || scope === undefined) return store.list(resource.id, namespace);
  const one = store.get({ resource: resource.id, namespace: scope, name: selection.name });
  return one === undefined ? [] : [one];
}

/** Computed objects come in the shape of their kind's schema, which is JSON. */
function computedObject(object: KubeObject | undefined): ApiObject | undefined {
  return object as ApiObject | undefined;
}

function startOf(store: Store, request: ListRequest): { readonly rev: number; readonly key: string | undefined } {
  const { resourceVersionMatch: match } = request;
  if (request.continue !== undefined && request.continue !== '') {
    const token = decodeContinue(request.continue);
    if ((request.resourceVersion ?? '') !== '' && request.resourceVersion !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    if (token.rev === NEWEST) return { rev: store.revision, key: token.key };
    if (token.rev < store.compactRevision) throw continueExpired(token.key);
    return { rev: Math.min(token.rev, store.revision), key: token.key };
  }
  const asked = revisionOf(request.resourceVersion);
  if (asked !== undefined && asked > store.revision) throw futureRevision(asked, store.revision);
  // The first page of a list at a revision is a list at exactly that revision, unless something else is said: so it was before
  // there was resourceVersionMatch.
  const isExact = match === 'Exact' || (match === undefined && (request.limit ?? 0) > 0);
  if (!isExact || asked === undefined || asked === 0) return { rev: store.revision, key: undefined };
  if (asked < store.compactRevision) throw listExpired();
  return { rev: asked, key: undefined };
}

/** A resourceVersion parameter as a number. @throws 400 for other text. */
export function revisionOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number < 2 ** 64) return number;
  const shown = JSON.stringify(text.slice(0, 64));
  const why = Number.isNaN(number) ? 'invalid syntax' : 'value out of range';
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`,
  );
}

function keyOf(object: ApiObject): string {
  return keyOfId({ namespace: object.metadata.namespace ?? '', name: object.metadata.name });
}

/** 410 for a list at exactly a revision that is no longer kept. */
function listExpired() {
  const message = 'The resourceVersion for the provided list is too old.';
  return apiError({ code: 410, reason: 'Expired', message });
}

const TOKEN_VERSION = 'meta.k8s.io/v1';
/** In a continue token: go on with what is there now. */
const NEWEST = 0;

/** 410 with a token that goes on in another state than the list began in. */
function continueExpired(key: string) {
  return apiError({
    code: 410,
    reason: 'Expired',
    message:
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    metadata: { continue: encodeContinue(NEWEST, key) },
  });
}

function encodeContinue(rev: number, key: string): string {
  return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: rev, start: key })).toString('base64url');
}

function decodeContinue(token: string): { readonly rev: number; readonly key: string } {
  try {
    const value = parseJson(Buffer.from(token.slice(0, 4096), 'base64url').toString('utf8'));
    const { v, rv: rev, start: key } = isJsonObject(value) ? value : {};
    if (
      v === TOKEN_VERSION &&
      typeof rev === 'number' &&
      Number.isSafeInteger(rev) &&
      rev >= 0 &&
      typeof key === 'string'
    )
      return { rev, key };
  } catch {
    // Falls through to the refusal: whatever the text was, it is no token of ours.
  }
  throw badRequest('invalid continue token: continue key is not valid: it was not given by this server');
}
