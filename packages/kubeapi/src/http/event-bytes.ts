import { type KindDefinition, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { objectText } from '../object-text.ts';
import { type Resource, toVersion } from '../registry/resource.ts';
import { partialObjectMetadata } from '../table/index.ts';
import type { HubEvent } from '../watch/watch-hub.ts';
import type { ResourceCall } from './resource-call.ts';

/** Of which kind an event is shown, and in which version. */
type Shown = Pick<ResourceCall, 'resource' | 'version'>;

/** Shapes that are the same for every watcher. Rows of Tables are not: they show ages. */
export type SharedShape = 'object' | 'metadata';

/** Events kept for watchers that have yet to send them, of all kinds together: as many bytes, or as many. Then they are made anew. */
const KEPT_BYTES = 8 * 1024 * 1024;
const KEPT_EVENTS = 4096;

/** The lines of recent events, each made once for all watchers of one version and shape. */
type EventLines = Map<ApiObject, Map<HubEvent['type'], Buffer>>;

/** What is kept now, over all kinds, versions and shapes. */
const kept = { bytes: 0, events: 0, lines: new Set<EventLines>() };

const linesOf = new WeakMap<Resource, Map<KindDefinition, Readonly<Record<SharedShape, EventLines>>>>();

/** The line of an event, made now and kept for the other watchers: fanning out costs one encoding, not one for each. */
export function shareEventBytes(call: Shown, shape: SharedShape, event: HubEvent): Buffer {
  const lines = keptLines(call, shape);
  const known = lines.get(event.object)?.get(event.type);
  if (known !== undefined) return known;
  if (kept.bytes > KEPT_BYTES || kept.events >= KEPT_EVENTS) forgetLines();
  const line = encode(call, shape, event);
  const byType = lines.get(event.object) ?? new Map<HubEvent['type'], Buffer>();
  lines.set(event.object, byType.set(event.type, line));
  kept.lines.add(lines);
  kept.bytes += line.length;
  kept.events += 1;
  return line;
}

function forgetLines(): void {
  for (const lines of kept.lines) lines.clear();
  kept.lines.clear();
  kept.bytes = 0;
  kept.events = 0;
}

/** The line of an event: `{"type":"ADDED","object":{...}}` and a line feed. Not kept. */
export function eventBytes(call: Shown, shape: SharedShape, event: HubEvent): Buffer {
  return keptLines(call, shape).get(event.object)?.get(event.type) ?? encode(call, shape, event);
}

function keptLines({ resource, version }: Shown, shape: SharedShape): EventLines {
  let byVersion = linesOf.get(resource);
  if (byVersion === undefined) {
    byVersion = new Map();
    linesOf.set(resource, byVersion);
  }
  let byShape = byVersion.get(version);
  if (byShape === undefined) {
    byShape = { object: new Map(), metadata: new Map() };
    byVersion.set(version, byShape);
  }
  return byShape[shape];
}

function encode({ resource, version }: Shown, shape: SharedShape, { type, object }: HubEvent): Buffer {
  const shown = toVersion(resource, object, version);
  const text = shape === 'object' ? objectText(shown) : stringifyJson(partialObjectMetadata(shown));
  return Buffer.from(`{"type":"${type}","object":${text}}\n`);
}
