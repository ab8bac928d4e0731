import { schema } from '@bloomery/model';

const { boolean, integer, list, object, openObject, string } = schema;

const names = (description: string) =>
  object(
    {},
    {
      plural: string({ description: 'Name in paths, a lower-case DNS label.' }),
      singular: string({ description: 'The kind in lower case unless given.' }),
      shortNames: list(string(), {
        'x-kubernetes-list-type': 'atomic',
        description: 'Short names for the command line.',
      }),
      kind: string({ description: 'Kind of the objects.' }),
      listKind: string({ description: 'Kind of lists, KIND and List unless given.' }),
      categories: list(string(), { 'x-kubernetes-list-type': 'atomic', description: 'Groups of kinds, such as all.' }),
    },
    { description },
  );

const scale = object(
  {},
  {
    specReplicasPath: string({ description: 'Path of the wanted number, below .spec.' }),
    statusReplicasPath: string({ description: 'Path of the present number, below .status.' }),
    labelSelectorPath: string({ description: 'Path of a label selector in text form.' }),
  },
);

const column = object(
  {},
  {
    name: string({ description: 'Heading.' }),
    type: string({ description: 'integer, number, string, boolean or date.' }),
    format: string({ description: 'How the value is shown.' }),
    description: string({ description: 'What the column shows.' }),
    priority: integer({ description: 'Columns above 0 are shown in wide output only.' }),
    jsonPath: string({ description: 'Where in the object the value is.' }),
  },
);

const version = object(
  {},
  {
    name: string({ description: 'v1, v1beta1 …' }),
    served: boolean({ description: 'Whether the version can be used.' }),
    storage: boolean({ description: 'Whether objects are stored in this version; exactly one is.' }),
    deprecated: boolean({ description: 'Whether users are warned.' }),
    deprecationWarning: string({ description: 'What they are told.' }),
    schema: object({}, { openAPIV3Schema: openObject({ description: 'The structural schema of the objects.' }) }),
    subresources: object({}, { status: openObject(), scale }),
    additionalPrinterColumns: list(column, { 'x-kubernetes-list-type': 'atomic' }),
    selectableFields: list(
      object({}, { jsonPath: string({ description: 'A scalar that field selectors may use.' }) }),
      {
        'x-kubernetes-list-type': 'atomic',
      },
    ),
  },
);

const clientConfig = object(
  {},
  {
    url: string({ description: 'Where the webhook is, https only.' }),
    service: object(
      {},
      { name: string(), namespace: string(), path: string(), port: integer() },
      { description: 'The service that it is, instead of a URL.' },
    ),
    caBundle: string({ format: 'byte', description: 'Certificates that its certificate is verified with, PEM.' }),
  },
);

const conversion = object(
  {},
  {
    strategy: string({ description: 'None or Webhook.' }),
    webhook: object(
      {},
      {
        clientConfig,
        conversionReviewVersions: list(string(), {
          'x-kubernetes-list-type': 'atomic',
          description: 'Versions of ConversionReview that it understands, preferred first.',
        }),
      },
    ),
  },
);

/**
 * `spec` of a CustomResourceDefinition. Nothing is required here and only types are checked: the rest is judged, and told in
 * kube-apiserver's words, by `crdProblems`.
 */
export const CRD_SPEC_SCHEMA = object(
  {},
  {
    group: string({ description: 'API group of the kind.' }),
    names: names('Names of the kind.'),
    scope: string({ description: 'Cluster or Namespaced.' }),
    versions: list(version, { 'x-kubernetes-list-type': 'atomic', description: 'Versions of the kind.' }),
    conversion,
    preserveUnknownFields: boolean({ description: 'Must be false.' }),
  },
  { description: 'What the kind is.' },
);

const condition = object(
  {},
  {
    type: string(),
    status: string(),
    lastTransitionTime: string({ format: 'date-time' }),
    reason: string(),
    message: string(),
  },
);

/** `status` of a CustomResourceDefinition. */
export const CRD_STATUS_SCHEMA = object(
  {},
  {
    conditions: list(condition, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
    acceptedNames: names('Names that are in use.'),
    storedVersions: list(string(), {
      'x-kubernetes-list-type': 'atomic',
      description: 'Versions that objects were ever stored in.',
    }),
  },
  { description: 'Whether the kind is served.' },
);
