import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_TUNNELS } from '@bloomery/siderolink';
import type { LinkStatus } from '../link/link-status.ts';
import type { LinkPeerView, LinkView } from '../link/peers/link-view.ts';
import { linkResources } from './link-resources.ts';

const peer: LinkPeerView = {
  server: 'm1',
  hostname: 'pxe-1',
  mode: 'udp',
  state: 'up',
  lastHandshakeMs: Date.parse('2026-01-01T00:00:00.500Z'),
  endpoint: '10.0.0.2:4242',
  receivedBytes: 1,
  sentBytes: 2,
  address: 'fd00::2',
  publicKey: 'KEY=',
};
const viewOf = (status: LinkStatus, peers: readonly LinkPeerView[] = []): LinkView => ({
  device: () => status,
  peers: () => peers,
  peer: (server) => peers.find((one) => one.server === server),
  metrics: () => ({
    peers: { up: peers.length, stale: 0, never: 0 },
    receivedBytes: 0,
    sentBytes: 0,
    handshakes: 0,
    tunnels: NO_TUNNELS,
  }),
});
const UP: LinkStatus = {
  state: 'up',
  interfaceName: 'siderolink',
  backend: 'userspace',
  listenPort: 51_821,
  eventSink: { host: 'fd00::1', port: 4002 },
};

describe('what the API says of the link', () => {
  it('has an object for each machine', () => {
    const tunnelled = { ...peer, server: 'm2', mode: 'tunnel' as const, hostname: '', lastHandshakeMs: undefined };
    const [peers] = linkResources(() => viewOf(UP, [peer, tunnelled]));
    const head = { apiVersion: 'insight.bloomery.dev/v1alpha1', kind: 'SiderolinkPeer' };
    const rest = { state: 'up', receivedBytes: 1, sentBytes: 2, address: 'fd00::2', publicKey: 'KEY=' };
    assert.deepEqual(peers?.list(), [
      {
        ...head,
        metadata: { name: 'm1' },
        hostname: 'pxe-1',
        mode: 'udp',
        lastHandshake: '2026-01-01T00:00:00Z',
        endpoint: '10.0.0.2:4242',
        ...rest,
      },
      { ...head, metadata: { name: 'm2' }, mode: 'tunnel', ...rest },
    ]);
    assert.deepEqual([peers?.get({ name: 'm2' })?.metadata.name, peers?.get({ name: 'm3' })], ['m2', undefined]);
  });

  const devices: [name: string, status: LinkStatus | undefined, want: object][] = [
    ['is starting at first', undefined, { state: 'starting' }],
    ['is up', UP, { state: 'up', backend: 'userspace', interface: 'siderolink', port: 51_821, isolated: true }],
    [
      'is up but open',
      { ...UP, notIsolated: 'isolating the link: nft: not found' },
      {
        state: 'up',
        isolated: false,
        message:
          'machines on the link may reach other services of this host, and its neighbours may send kernel logs: isolating the link: nft: not found',
      },
    ],
    ['is down', { state: 'down', reason: 'no /dev/net/tun' }, { state: 'down', message: 'no /dev/net/tun' }],
    [
      'has no port',
      { state: 'down', reason: 'listening on UDP port 51821: address already in use' },
      {
        do: [
          'find out what has the port with `ss -lnup`, and stop it',
          'or choose another port with --siderolink-listen',
          'nothing else: it is tried again every minute at the latest',
        ],
      },
    ],
    ['is off', { state: 'off' }, { state: 'off' }],
  ];
  for (const [name, status, want] of devices) {
    it(`has one object for the manager's own end, which ${name}`, () => {
      const [, device] = linkResources(() => (status === undefined ? undefined : viewOf(status)));
      assert.equal(device?.list().length, 1);
      const found: { readonly [field: string]: unknown; readonly metadata?: object } = {
        ...device?.get({ name: 'siderolink' }),
      };
      assert.partialDeepStrictEqual(found, want);
      assert.equal('message' in found, 'do' in found, 'who names a fault says what to do');
      assert.equal(device?.get({ name: 'other' }), undefined);
    });
  }
});
