import { type KindDefinition, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { objectText } from '../object-text.ts';
import { type Resource, toVersion } from '../registry/resource.ts';
import { partialObjectMetadata } from '../table/index.ts';
import type { HubEvent } from '../watch/watch-hub.ts';
import type { ResourceCall } from './resource-call.ts';

/** Shapes that are the same for every watcher. Rows of Tables are not: they show ages. */
export type SharedShape = 'object' | 'metadata';

/** Events kept for watchers that have yet to send them: as many bytes, or as many events. Then they are made anew. */
const KEPT_BYTES = 8 * 1024 * 1024;
const KEPT_EVENTS = 4096;

/** The lines of recent events, each made once for all watchers of one version and shape. */
interface EventLines {
  bytes: number;
  readonly lines: Map<ApiObject, Map<HubEvent['type'], Buffer>>;
}

const linesOf = new WeakMap<Resource, Map<KindDefinition, Readonly<Record<SharedShape, EventLines>>>>();

/** The line of an event, made now and kept for the other watchers: fanning out costs one encoding, not one for each. */
export function shareEventBytes(call: ResourceCall, shape: SharedShape, event: HubEvent): Buffer {
  const kept = keptLines(call, shape);
  const known = kept.lines.get(event.object)?.get(event.type);
  if (known !== undefined) return known;
  if (kept.bytes > KEPT_BYTES || kept.lines.size >= KEPT_EVENTS) {
    kept.lines.clear();
    kept.bytes = 0;
  }
  const line = encode(call, shape, event);
  const byType = kept.lines.get(event.object) ?? new Map<HubEvent['type'], Buffer>();
  kept.lines.set(event.object, byType.set(event.type, line));
  kept.bytes += line.length;
  return line;
}

/** The line of an event: `{"type":"ADDED","object":{...}}` and a line feed. Not kept. */
export function eventBytes(call: ResourceCall, shape: SharedShape, event: HubEvent): Buffer {
  return keptLines(call, shape).lines.get(event.object)?.get(event.type) ?? encode(call, shape, event);
}

function keptLines({ resource, version }: ResourceCall, shape: SharedShape): EventLines {
  let byVersion = linesOf.get(resource);
  if (byVersion === undefined) {
    byVersion = new Map();
    linesOf.set(resource, byVersion);
  }
  let byShape = byVersion.get(version);
  if (byShape === undefined) {
    byShape = { object: { bytes: 0, lines: new Map() }, metadata: { bytes: 0, lines: new Map() } };
    byVersion.set(version, byShape);
  }
  return byShape[shape];
}

function encode({ resource, version }: ResourceCall, shape: SharedShape, { type, object }: HubEvent): Buffer {
  const shown = toVersion(resource, object, version);
  const text = shape === 'object' ? objectText(shown) : stringifyJson(partialObjectMetadata(shown));
  return Buffer.from(`{"type":"${type}","object":${text}}\n`);
}
