import { type Admission, type FieldProblem, type Json, type JsonObject, jsonEqual } from '@bloomery/model';
import { objectAt, textAt, valueAt } from '../json-parts.ts';
import { invalid, required } from '../schema/index.ts';

/** Fields of an events.k8s.io Event and what core calls them; all others have one name. */
const CORE_NAMES: readonly (readonly [events: string, core: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedCount', 'count'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedSource', 'source'],
];

const toCoreName = new Map(CORE_NAMES);
const toEventsName = new Map(CORE_NAMES.map(([events, core]) => [core, events] as const));

/** Events are stored as core has them; events.k8s.io shows them under its own names. Lossless. */
export const eventConversion = {
  toStorage: (object: JsonObject): JsonObject => renamed(object, toCoreName),
  fromStorage: (object: JsonObject): JsonObject => renamed(withoutEmptyReporter(object), toEventsName),
} as const;

/** Core names its reporter always, events.k8s.io only where there is one. */
function withoutEmptyReporter(object: JsonObject): JsonObject {
  const isEmpty = (name: string): boolean => REPORTER.has(name) && object[name] === '';
  return Object.fromEntries(Object.entries(object).filter(([name]) => !isEmpty(name)));
}

const REPORTER: ReadonlySet<string> = new Set(['reportingComponent', 'reportingInstance']);

function renamed(object: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]));
}

const PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const PART_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const MAX_NAME = 128;
const MAX_NOTE = 1024;

/** Checks of an Event that came through the core group: lenient, unless it says when it happened. */
export function admitCoreEvent(object: JsonObject, old: JsonObject | undefined): Admission {
  if (old !== undefined) return { problems: [] };
  const event = eventConversion.fromStorage(object);
  const problems = isNewStyle(event) ? newStyleProblems(event, 'reportingComponent') : namespaceProblems(event);
  return { problems };
}

/** Checks of an Event that came through events.k8s.io. */
export function admitEvent(event: JsonObject, old: JsonObject | undefined): Admission {
  const basic = isNewStyle(event) ? newStyleProblems(event, 'reportingController') : namespaceProblems(event);
  const type = textAt(event, 'type');
  const problems = [...basic, ...seriesProblems(event), ...(isNewStyle(event) ? [] : [required('eventTime')])];
  if (type !== 'Normal' && type !== 'Warning') problems.push(invalid('type', '', `has invalid value: ${type}`));
  return { problems: [...problems, ...(old === undefined ? unsetProblems(event) : changeProblems(event, old))] };
}

function isNewStyle(event: JsonObject): boolean {
  return textAt(event, 'eventTime') !== '';
}

/** An Event lies in the namespace of its object, those of cluster-wide objects in `default`. */
function namespaceProblems(event: JsonObject): readonly FieldProblem[] {
  const own = textAt(event, 'metadata', 'namespace');
  const of = textAt(event, 'regarding', 'namespace');
  if (of === own || (of === '' && own === 'default')) return [];
  return [invalid('involvedObject.namespace', of, 'does not match event.namespace')];
}

function newStyleProblems(event: JsonObject, controllerName: string): readonly FieldProblem[] {
  const instance = textAt(event, 'reportingInstance');
  return [
    ...controllerProblems(textAt(event, 'reportingController'), controllerName),
    ...textProblems('reportingInstance', instance),
    ...textProblems('action', textAt(event, 'action')),
    ...textProblems('reason', textAt(event, 'reason')),
    ...(textAt(event, 'note').length > MAX_NOTE ? [tooLong('message', MAX_NOTE)] : []),
  ];
}

function controllerProblems(name: string, field: string): readonly FieldProblem[] {
  if (name === '') {
    return [required(field), invalid(field, '', 'name part must be non-empty'), invalid(field, '', PART_TEXT)];
  }
  const part = name.slice(name.indexOf('/') + 1);
  return part.length <= 63 && PART.test(part) ? [] : [invalid(field, name, PART_TEXT)];
}

function textProblems(field: string, text: string): readonly FieldProblem[] {
  if (text === '') return [required(field)];
  return text.length > MAX_NAME ? [tooLong(field, MAX_NAME)] : [];
}

function tooLong(field: string, most: number): FieldProblem {
  return invalid(field, '', `can have at most ${most} characters`);
}

function seriesProblems(event: JsonObject): FieldProblem[] {
  const { series } = event;
  if (series === undefined || series === null) return [];
  const count = valueAt(series, 'count');
  return [
    ...(typeof count === 'number' && count >= 2 ? [] : [invalid('series.count', '', 'should be at least 2')]),
    ...(textAt(series, 'lastObservedTime') === '' ? [required('series.lastObservedTime')] : []),
  ];
}

/** Fields of the core group's Events that new ones must not use. */
function unsetProblems(event: JsonObject): readonly FieldProblem[] {
  const source = objectAt(event, 'deprecatedSource');
  const isSet: readonly (readonly [core: string, set: boolean])[] = [
    ['firstTimestamp', textAt(event, 'deprecatedFirstTimestamp') !== ''],
    ['lastTimestamp', textAt(event, 'deprecatedLastTimestamp') !== ''],
    ['count', (event['deprecatedCount'] ?? 0) !== 0],
    ['source', Object.values(source).some((text) => text !== '')],
  ];
  return isSet.filter(([, set]) => set).map(([field]) => invalid(field, '', 'needs to be unset'));
}

const FIXED = [
  'regarding',
  'reason',
  'note',
  'deprecatedSource',
  'deprecatedFirstTimestamp',
  'deprecatedLastTimestamp',
  'deprecatedCount',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingController',
  'reportingInstance',
] as const;

/** Only the series and the metadata of an Event change. */
function changeProblems(event: JsonObject, old: JsonObject): readonly FieldProblem[] {
  return FIXED.filter((name) => !jsonEqual(event[name] ?? null, old[name] ?? null)).map((name) =>
    invalid(CORE_FIELDS.get(name) ?? name, event[name] ?? '', 'field is immutable'),
  );
}

/** Refusals name the fields as they are stored, but for the controller. */
const CORE_FIELDS = new Map<string, string>(CORE_NAMES.filter(([events]) => events !== 'reportingController'));

/** What a field selector can ask of an Event beside its plain fields: who reported it. */
export function eventSource(event: Json): string {
  return textAt(event, 'source', 'component') || textAt(event, 'reportingComponent');
}
