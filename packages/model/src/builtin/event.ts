import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { integer, object, string } from '../schema.ts';
import { objectReferenceSchema } from '../shared-schema.ts';

/** core/v1 Event: what happened to an object, folded by repeats. */
export const event = defineKind({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
  shortNames: ['ev'],
  description: 'What happened to an object.',
  columns: [
    { name: 'Last Seen', path: '.lastTimestamp', of: 'date' },
    { name: 'Type', path: '.type', of: 'string' },
    { name: 'Reason', path: '.reason', of: 'string' },
    { name: 'Object', path: '.involvedObject.name', of: 'string' },
    { name: 'Message', path: '.message', of: 'string' },
  ],
  selectableFields: [
    '.involvedObject.kind',
    '.involvedObject.namespace',
    '.involvedObject.name',
    '.involvedObject.uid',
    '.involvedObject.apiVersion',
    '.involvedObject.resourceVersion',
    '.involvedObject.fieldPath',
    '.reason',
    '.reportingComponent',
    '.source',
    '.type',
  ],
  properties: {
    action: string(),
    count: integer(),
    eventTime: string({ format: 'date-time', nullable: true }),
    firstTimestamp: string({ format: 'date-time', nullable: true }),
    involvedObject: objectReferenceSchema,
    lastTimestamp: string({ format: 'date-time', nullable: true }),
    message: string(),
    reason: string(),
    related: objectReferenceSchema,
    reportingComponent: string(),
    reportingInstance: string(),
    series: object({}, { count: integer(), lastObservedTime: string({ format: 'date-time' }) }),
    source: object({}, { component: string(), host: string() }),
    type: string(),
  },
});

export type Event = ObjectOf<typeof event>;
