import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, list, object, oneOfStrings, string } from '../schema.ts';

/** What an insight object is about. */
export const aboutSchema = object({ kind: string(), name: string() }, { namespace: string() });

/**
 * Why an object is not where it should be. Computed when asked for, never stored. Its name is `<kind>.<name>` in lower case
 * (`server.6b12…`), in the namespace of the object, `default` for cluster-scoped ones.
 */
export const explanation = defineKind({
  group: 'insight.bloomery.dev',
  version: 'v1alpha1',
  kind: 'Explanation',
  plural: 'explanations',
  scope: 'Namespaced',
  description: 'Why an object is not where it should be, and what to do. Read only.',
  statusSubresource: false,
  columns: [
    { name: 'Healthy', path: '.healthy', of: 'boolean' },
    { name: 'Rule', path: '.findings[0].rule', of: 'string' },
    { name: 'Since', path: '.findings[0].since', of: 'date' },
    { name: 'Cause', path: '.findings[0].cause', of: 'string' },
  ],
  properties: {
    about: aboutSchema,
    healthy: boolean({ description: 'Nothing to explain.' }),
    findings: list(
      object(
        {
          rule: string(),
          severity: oneOfStrings(['info', 'warning', 'error']),
          cause: string({ description: 'One sentence.' }),
          evidence: list(object({ source: string(), text: string() }, { time: string({ format: 'date-time' }) })),
          next: string({ description: 'What happens by itself, and when.' }),
          do: list(string(), { description: 'Commands.' }),
          more: string({ description: 'Page of the documentation.' }),
        },
        { since: string({ format: 'date-time' }) },
      ),
      { description: 'The first is the root.' },
    ),
  },
});

export type Explanation = ObjectOf<typeof explanation>;
/** One cause, with its evidence. */
export type Finding = NonNullable<Explanation['findings']>[number];
