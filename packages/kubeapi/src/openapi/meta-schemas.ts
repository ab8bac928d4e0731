import { type Schema, schema } from '@bloomery/model';
import {
  MANAGED_FIELDS_ENTRY_SCHEMA,
  OBJECT_META_SCHEMA,
  OWNER_REFERENCE_SCHEMA,
} from '../schema/object-meta-schema.ts';
import { META_SCHEMAS } from './schema-name.ts';

const { boolean, integer, list, object, openObject, string } = schema;

const listMeta = object(
  {},
  {
    continue: string({ description: 'Set when the list was cut short: give it back to read on.' }),
    remainingItemCount: integer({ format: 'int64', description: 'How many items are left, when that is known.' }),
    resourceVersion: string({ description: 'The version of the whole list: a watch may start there.' }),
    selfLink: string({ description: 'Deprecated: never set.' }),
  },
  { description: 'Metadata of a list.' },
);

const status = object(
  {},
  {
    apiVersion: string({ description: 'Always v1.' }),
    kind: string({ description: 'Always Status.' }),
    code: integer({ description: 'HTTP code.' }),
    details: openObject({ description: 'What the answer is about, and its causes.' }),
    message: string({ description: 'What happened, for people.' }),
    metadata: openObject({ description: 'List metadata.' }),
    reason: string({ description: 'What happened, for programs.' }),
    status: string({ description: 'Success or Failure.' }),
  },
  { description: 'The answer of an operation that returns no object.' },
);

const deleteOptions = object(
  {},
  {
    apiVersion: string({ description: 'Always v1.' }),
    kind: string({ description: 'Always DeleteOptions.' }),
    dryRun: list(string(), { description: 'All: check everything, change nothing.' }),
    gracePeriodSeconds: integer({ format: 'int64', description: 'Seconds before the object goes.' }),
    orphanDependents: boolean({ description: 'Deprecated: use propagationPolicy.' }),
    preconditions: object(
      {},
      {
        resourceVersion: string({ description: 'Delete only this version.' }),
        uid: string({ description: 'Delete only the object with this UID.' }),
      },
      { description: 'What must hold, or the deletion is refused.' },
    ),
    propagationPolicy: string({ description: 'What becomes of dependents: Orphan, Background or Foreground.' }),
  },
  { description: 'How to delete.' },
);

const scale = object(
  {},
  {
    apiVersion: string({ description: 'Always autoscaling/v1.' }),
    kind: string({ description: 'Always Scale.' }),
    metadata: OBJECT_META_SCHEMA,
    spec: object({}, { replicas: integer({ description: 'Wanted number.' }) }, { description: 'What is wanted.' }),
    status: object(
      { replicas: integer({ description: 'Present number.' }) },
      { selector: string({ description: 'Label selector of the counted objects.' }) },
      { description: 'What is there.' },
    ),
  },
  { description: 'The size of a resource.' },
);

/** The schemas that every document shares, by name. */
export const SHARED_SCHEMAS: { readonly [name: string]: Schema } = {
  [META_SCHEMAS.objectMeta]: OBJECT_META_SCHEMA,
  [META_SCHEMAS.listMeta]: listMeta,
  [META_SCHEMAS.ownerReference]: OWNER_REFERENCE_SCHEMA,
  [META_SCHEMAS.managedFieldsEntry]: MANAGED_FIELDS_ENTRY_SCHEMA,
  [META_SCHEMAS.status]: status,
  [META_SCHEMAS.deleteOptions]: deleteOptions,
  [META_SCHEMAS.patch]: { type: 'object', description: 'A patch of one of the supported types.' },
  [META_SCHEMAS.scale]: scale,
};

/** apiVersion and kind, as every object carries them. */
export const TYPE_META: { readonly [name: string]: Schema } = {
  apiVersion: { type: 'string', description: 'Group and version of this representation of the object.' },
  kind: { type: 'string', description: 'The kind of this object.' },
};
