import { talosConfigSpecV1alpha3Schema } from '../bootstrap/talos-config-schema.ts';
import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, object, string } from '../schema.ts';
import { conditionsSchema, objectReferenceSchema } from '../shared-schema.ts';
import { admitTalosControlPlane, defaultTalosControlPlane } from './admit-talos-control-plane.ts';

const VERSION_PATTERN = '^v(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)([-0-9a-zA-Z_\\.+]*)?$';

/** The control plane machines of a cluster. */
export const talosControlPlane = defineKind({
  group: 'controlplane.cluster.x-k8s.io',
  version: 'v1alpha3',
  kind: 'TalosControlPlane',
  plural: 'taloscontrolplanes',
  scope: 'Namespaced',
  shortNames: ['tcp'],
  categories: ['cluster-api', 'bloomery'],
  description: 'The control plane machines of a cluster.',
  admit: admitTalosControlPlane,
  defaults: defaultTalosControlPlane,
  crdLabels: { 'cluster.x-k8s.io/provider': 'control-plane-talos', 'cluster.x-k8s.io/v1beta1': 'v1alpha3' },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
  columns: [
    { name: 'Ready', path: '.status.ready', of: 'boolean' },
    { name: 'Initialized', path: '.status.initialized', of: 'boolean' },
    { name: 'Replicas', path: '.status.replicas', of: 'integer' },
    { name: 'Ready Replicas', path: '.status.readyReplicas', of: 'integer' },
    { name: 'Unavailable Replicas', path: '.status.unavailableReplicas', of: 'integer' },
    { name: 'Cluster', path: '.metadata.labels.cluster\\.x-k8s\\.io/cluster-name', of: 'string' },
    { name: 'Up-To-Date', path: '.status.updatedReplicas', of: 'integer' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Desired', path: '.spec.replicas', of: 'integer', wide: true },
    { name: 'Version', path: '.status.version', of: 'string', wide: true },
    { name: 'Etcd', path: '.status.etcd', of: 'string', wide: true },
  ],
  properties: {
    spec: object(
      {
        version: string({ pattern: VERSION_PATTERN }),
        infrastructureTemplate: objectReferenceSchema,
        controlPlaneConfig: object(
          { controlplane: talosConfigSpecV1alpha3Schema },
          { init: talosConfigSpecV1alpha3Schema },
        ),
      },
      {
        replicas: integer({ default: 1, minimum: 0 }),
        rolloutStrategy: object(
          {},
          {
            type: string({ description: 'RollingUpdate, OnDelete or InPlace.' }),
            rollingUpdate: object(
              {},
              { maxSurge: integer({ description: 'Machines above replicas during a rollout; 0 removes first.' }) },
            ),
          },
          { default: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
        ),
      },
    ),
    status: object(
      {},
      {
        selector: string(),
        replicas: integer(),
        readyReplicas: integer(),
        unavailableReplicas: integer(),
        updatedReplicas: integer(),
        initialized: boolean(),
        ready: boolean(),
        bootstrapped: boolean(),
        failureReason: string(),
        failureMessage: string(),
        observedGeneration: integer({ format: 'int64' }),
        conditions: conditionsSchema,
        version: string({ description: 'Lowest version of the machines.' }),
        waitingFor: string({ maxLength: 40 }),
        etcd: string({ description: 'Members, as `3/3`.' }),
      },
    ),
  },
});

export type TalosControlPlane = ObjectOf<typeof talosControlPlane>;
