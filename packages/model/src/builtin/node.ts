import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, list, map, object, openObject, string } from '../schema.ts';

/** core/v1 Node, as controllers read it in workload clusters. */
export const node = defineKind({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  scope: 'Cluster',
  shortNames: ['no'],
  description: 'A machine that runs pods.',
  columns: [
    { name: 'Status', path: '.status.conditions[?(@.type=="Ready")].status', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.status.nodeInfo.kubeletVersion', of: 'string' },
  ],
  selectableFields: ['.spec.unschedulable'],
  properties: {
    spec: object(
      {},
      {
        configSource: openObject(),
        externalID: string(),
        podCIDR: string(),
        podCIDRs: list(string()),
        providerID: string(),
        taints: list(object({ key: string(), effect: string() }, { value: string(), timeAdded: string() })),
        unschedulable: boolean(),
      },
    ),
    status: object(
      {},
      {
        addresses: list(object({ type: string(), address: string() }, {})),
        allocatable: map(string()),
        capacity: map(string()),
        conditions: list(
          object(
            { type: string(), status: string() },
            {
              lastHeartbeatTime: string({ format: 'date-time' }),
              lastTransitionTime: string({ format: 'date-time' }),
              message: string(),
              reason: string(),
            },
          ),
        ),
        config: openObject(),
        daemonEndpoints: object({}, { kubeletEndpoint: object({ Port: integer() }, {}) }),
        features: openObject(),
        images: list(object({}, { names: list(string()), sizeBytes: integer({ format: 'int64' }) })),
        nodeInfo: openObject(),
        phase: string(),
        runtimeHandlers: list(openObject()),
        volumesAttached: list(openObject()),
        volumesInUse: list(string()),
      },
    ),
  },
});

export type Node = ObjectOf<typeof node>;
