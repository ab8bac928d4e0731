import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, list, object, oneOfStrings, string } from '../schema.ts';

/** The manager's own end of SideroLink. Computed when asked for, never stored. There is one, called `siderolink`. */
export const siderolinkDevice = defineKind({
  group: 'insight.bloomery.dev',
  version: 'v1alpha1',
  kind: 'SiderolinkDevice',
  plural: 'siderolinkdevices',
  scope: 'Cluster',
  description: "The manager's own end of SideroLink. Read only.",
  statusSubresource: false,
  columns: [
    { name: 'State', path: '.state', of: 'string' },
    { name: 'Backend', path: '.backend', of: 'string' },
    { name: 'Interface', path: '.interface', of: 'string' },
    { name: 'Port', path: '.port', of: 'integer' },
    { name: 'Isolated', path: '.isolated', of: 'boolean' },
    { name: 'Message', path: '.message', of: 'string' },
  ],
  properties: {
    state: oneOfStrings(['up', 'down', 'off', 'starting']),
    backend: oneOfStrings(['kernel', 'userspace'], { description: 'userspace: wireguard-go.' }),
    interface: string(),
    port: integer({ description: 'UDP.' }),
    isolated: boolean({ description: 'Machines are kept from each other and from other services of the host.' }),
    message: string({ description: 'What is wrong.' }),
    do: list(string(), { description: 'What to do about it.' }),
    peers: object({}, { up: integer(), stale: integer(), never: integer() }),
  },
});

export type SiderolinkDevice = ObjectOf<typeof siderolinkDevice>;

/** Name of the only SiderolinkDevice. */
export const SIDEROLINK_DEVICE_NAME = 'siderolink';
