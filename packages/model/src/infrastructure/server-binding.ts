import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, list, object, oneOfStrings, string } from '../schema.ts';
import { conditionsSchema, objectReferenceSchema } from '../shared-schema.ts';
import { LABELS } from '../well-known.ts';
import { CLUSTER_LABEL_PATH, INFRASTRUCTURE_CRD_LABELS } from './infrastructure-group.ts';

/**
 * The allocation of the Server of the same name to a MetalMachine: its name is the lock.
 * Addresses, host name and link are in spec so that they survive a move between management clusters, which takes bindings along.
 */
export const serverBinding = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha3',
  kind: 'ServerBinding',
  plural: 'serverbindings',
  scope: 'Cluster',
  categories: ['bloomery'],
  description: 'The allocation of the Server of the same name to a MetalMachine.',
  crdLabels: { ...INFRASTRUCTURE_CRD_LABELS, [LABELS.move]: '' },
  columns: [
    { name: 'Ready', path: '.status.ready', of: 'boolean' },
    { name: 'Cluster', path: CLUSTER_LABEL_PATH, of: 'string' },
    { name: 'MetalMachine', path: '.spec.metalMachineRef.name', of: 'string' },
    { name: 'Link', path: '.status.link', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Server', path: '.metadata.name', of: 'string', wide: true },
    { name: 'ServerClass', path: '.spec.serverClassRef.name', of: 'string', wide: true },
    { name: 'Address', path: '.spec.siderolink.address', of: 'string', wide: true },
    { name: 'Last-Handshake', path: '.status.lastHandshake', of: 'date', wide: true },
  ],
  properties: {
    spec: object(
      { metalMachineRef: objectReferenceSchema },
      {
        serverClassRef: objectReferenceSchema,
        siderolink: object(
          { address: string({ description: 'CIDR' }), publicKey: string({ description: 'base64' }) },
          {},
        ),
        addresses: list(string()),
        hostname: string(),
      },
    ),
    status: object(
      {},
      {
        ready: boolean({ description: 'The Server of this name exists.' }),
        conditions: conditionsSchema,
        link: oneOfStrings(['up', 'down', 'never']),
        lastHandshake: string({ format: 'date-time' }),
        linkEndpoint: string({
          description:
            'Where the machine was last seen, IP:PORT: called there after a restart. Absent with the tunnel.',
        }),
      },
    ),
  },
});

export type ServerBinding = ObjectOf<typeof serverBinding>;
