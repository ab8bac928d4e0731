import { schema } from '@bloomery/model';

const { boolean, integer, list, map, object, openObject, string } = schema;

const time = (description: string) => string({ format: 'date-time', description });

/** metav1.OwnerReference. */
export const OWNER_REFERENCE_SCHEMA = object(
  {
    apiVersion: string({ description: 'API version of the referent.' }),
    kind: string({ description: 'Kind of the referent.' }),
    name: string({ description: 'Name of the referent.' }),
    uid: string({ description: 'UID of the referent.' }),
  },
  {
    blockOwnerDeletion: boolean({
      description: 'The owner cannot go in a foreground deletion before this reference does.',
    }),
    controller: boolean({ description: 'Whether the referent is the managing controller.' }),
  },
  {
    description: 'Identifies an owning object, in the same namespace or cluster-scoped.',
    'x-kubernetes-map-type': 'atomic',
  },
);

/** metav1.ManagedFieldsEntry. */
export const MANAGED_FIELDS_ENTRY_SCHEMA = object(
  {},
  {
    apiVersion: string({ description: 'The version of the resource that the field set applies to.' }),
    fieldsType: string({ description: 'Format of fieldsV1: always FieldsV1.' }),
    fieldsV1: openObject({ description: 'The set of fields, as a tree of path elements.' }),
    manager: string({ description: 'Who manages these fields.' }),
    operation: string({ description: 'Apply or Update.' }),
    subresource: string({ description: 'The subresource through which the fields were written.' }),
    time: time('When the entry was added or changed.'),
  },
  { description: 'The fields that one manager set through one operation, version and subresource.' },
);

/** metav1.ObjectMeta: what `metadata` of every object may hold. */
export const OBJECT_META_SCHEMA = object(
  {},
  {
    annotations: map(string(), {
      description: 'Unstructured key value map that tools use to keep metadata. Not queryable.',
    }),
    creationTimestamp: time('When the object was created. Set by the server.'),
    deletionGracePeriodSeconds: integer({
      format: 'int64',
      description: 'Seconds until the object may go. Set by the server.',
    }),
    deletionTimestamp: time('When deletion was asked for. Set by the server.'),
    finalizers: list(string(), {
      description: 'Must be empty before the object is removed from the registry.',
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    }),
    generateName: string({ description: 'Prefix for a name that the server makes unique, used when name is empty.' }),
    generation: integer({ format: 'int64', description: 'Sequence number of the desired state. Set by the server.' }),
    labels: map(string(), { description: 'Key value map to organise and select objects.' }),
    managedFields: list(MANAGED_FIELDS_ENTRY_SCHEMA, {
      description: 'Which manager set which fields. Kept by the server.',
      'x-kubernetes-list-type': 'atomic',
    }),
    name: string({ description: 'Name, unique within a namespace and kind. Cannot be changed.' }),
    namespace: string({ description: 'The space within which the name is unique. Cannot be changed.' }),
    ownerReferences: list(OWNER_REFERENCE_SCHEMA, {
      description: 'Objects this object depends on. It is collected when all of them are gone.',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
    }),
    resourceVersion: string({ description: 'Opaque version of this state of the object. Set by the server.' }),
    selfLink: string({ description: 'Deprecated: never set.' }),
    uid: string({ description: 'Unique in time and space. Set by the server.' }),
  },
  { description: 'Metadata that every object has.' },
);
