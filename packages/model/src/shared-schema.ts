import { anything, integer, list, map, object, oneOfStrings, string } from './schema.ts';

/** corev1.ObjectReference, atomic. */
export const objectReferenceSchema = object(
  {},
  {
    apiVersion: string(),
    fieldPath: string(),
    kind: string(),
    name: string(),
    namespace: string(),
    resourceVersion: string(),
    uid: string(),
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

/** Cluster API v1beta1 conditions (spec/metal.md §2). */
export const conditionsSchema = list(
  object(
    {
      type: string({ minLength: 1, maxLength: 256 }),
      status: oneOfStrings(['True', 'False', 'Unknown']),
      lastTransitionTime: string({ format: 'date-time' }),
    },
    {
      severity: oneOfStrings(['', 'Error', 'Warning', 'Info'], { maxLength: 32 }),
      reason: string({ minLength: 1, maxLength: 256 }),
      message: string({ minLength: 1, maxLength: 10240 }),
    },
  ),
);

/** metav1.Condition, merged by type. */
export const metaConditionsSchema = list(
  object(
    {
      type: string({ minLength: 1, maxLength: 316 }),
      status: oneOfStrings(['True', 'False', 'Unknown']),
      lastTransitionTime: string({ format: 'date-time' }),
      reason: string({ minLength: 1, maxLength: 1024 }),
      message: string({ maxLength: 32768 }),
    },
    { observedGeneration: integer({ format: 'int64', minimum: 0 }) },
  ),
  { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
);

/** RFC 6902 operations on the machine config. */
export const configPatchesSchema = list(
  object(
    { op: string(), path: string() },
    { value: anything({ description: 'Any value; absent and null are the same.' }) },
  ),
  { description: 'RFC 6902 operations on the machine config, applied as one patch.' },
);

/** Strategic merge patches as YAML or JSON text. */
export const strategicPatchesSchema = list(string(), {
  description: 'Strategic merge patches of the machine config, as YAML or JSON text, applied in order.',
});

/** Addresses of a machine, with the closed list of types. */
export const machineAddressesSchema = list(
  object(
    {
      type: oneOfStrings(['Hostname', 'ExternalIP', 'InternalIP', 'ExternalDNS', 'InternalDNS']),
      address: string({ minLength: 1, maxLength: 256 }),
    },
    {},
  ),
);

/** metav1.LabelSelector, atomic. */
export const labelSelectorSchema = object(
  {},
  {
    matchExpressions: list(object({ key: string(), operator: string() }, { values: list(string()) })),
    matchLabels: map(string()),
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

/** Metadata of a template: labels and annotations for what is made from it. */
export const templateMetadataSchema = object({}, { annotations: map(string()), labels: map(string()) });

/** Additive status fields behind the PHASE and WAITING-FOR columns (spec/ux.md §2). */
export const waitingFields = {
  phase: string({ description: 'Where the object is on its journey; derived.' }),
  waitingFor: string({ maxLength: 40, description: 'What is awaited, in a short phrase; absent when nothing is.' }),
};
