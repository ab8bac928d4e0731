import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { integer, list, object, openObject, string } from '../schema.ts';
import { aboutSchema } from './explanation.ts';

/**
 * What happened to a machine, oldest first. Computed when asked for, never stored. Named like an Explanation.
 */
export const machineTimeline = defineKind({
  group: 'insight.bloomery.dev',
  version: 'v1alpha1',
  kind: 'Timeline',
  plural: 'timelines',
  scope: 'Namespaced',
  description: 'What happened to a machine, oldest first: the newest 1000 entries. Read only.',
  statusSubresource: false,
  columns: [
    { name: 'Last', path: '.last.summary', of: 'string' },
    { name: 'When', path: '.last.time', of: 'date' },
  ],
  properties: {
    about: aboutSchema,
    last: openObject(),
    entries: list(
      object(
        {
          seq: integer({ format: 'int64' }),
          time: string({ format: 'date-time' }),
          source: string(),
          stage: string(),
          severity: string(),
          event: string(),
          summary: string(),
          about: openObject(),
        },
        { facts: openObject(), durationMs: integer({ format: 'int64' }) },
      ),
    ),
  },
});

export type MachineTimeline = ObjectOf<typeof machineTimeline>;
