import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { integer, oneOfStrings, string } from '../schema.ts';

/**
 * A machine's end of SideroLink as the manager's WireGuard saw it at its last look, at most 30 s ago. Computed when asked
 * for, never stored. Its name is that of the machine's Server.
 */
export const siderolinkPeer = defineKind({
  group: 'insight.bloomery.dev',
  version: 'v1alpha1',
  kind: 'SiderolinkPeer',
  plural: 'siderolinkpeers',
  scope: 'Cluster',
  description: "A machine's end of SideroLink, as the manager's WireGuard saw it last. Read only.",
  statusSubresource: false,
  columns: [
    { name: 'Hostname', path: '.hostname', of: 'string' },
    { name: 'Mode', path: '.mode', of: 'string' },
    { name: 'State', path: '.state', of: 'string' },
    { name: 'Last-Handshake', path: '.lastHandshake', of: 'date' },
    { name: 'Endpoint', path: '.endpoint', of: 'string' },
    { name: 'RX', path: '.receivedBytes', of: 'integer' },
    { name: 'TX', path: '.sentBytes', of: 'integer' },
    { name: 'Address', path: '.address', of: 'string' },
    { name: 'PublicKey', path: '.publicKey', of: 'string', wide: true },
  ],
  properties: {
    hostname: string({ description: 'As the machine reported it.' }),
    mode: oneOfStrings(['udp', 'tunnel']),
    state: oneOfStrings(['up', 'down', 'never', 'waiting'], {
      description:
        'up: a handshake in the last 275 s; never: none yet; waiting: linked before the manager started, not heard since.',
    }),
    lastHandshake: string({ format: 'date-time' }),
    endpoint: string({ description: 'Where it was last heard from, IP:PORT. Absent with the tunnel.' }),
    receivedBytes: integer({ format: 'int64', description: 'From the machine, since its peer was made.' }),
    sentBytes: integer({ format: 'int64', description: 'To the machine, since its peer was made.' }),
    address: string({ description: 'On the link.' }),
    publicKey: string({ description: 'base64' }),
  },
});

export type SiderolinkPeer = ObjectOf<typeof siderolinkPeer>;
