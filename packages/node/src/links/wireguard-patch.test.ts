import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LinkSpec } from '../resources/links.ts';
import { type PresentPeer, type PresentWireguard, wireguardPatch } from './wireguard-patch.ts';

type Wanted = LinkSpec['wireguard'];

const [OWN, A, B] = ['own', 'a', 'b'].map((name) => Buffer.alloc(32, name).toString('base64')) as [
  string,
  string,
  string,
];
const ZERO = Buffer.alloc(32).toString('base64');

const presentPeer = (fields: Partial<PresentPeer> = {}): PresentPeer => ({
  ...{
    publicKey: A,
    presharedKey: ZERO,
    endpoint: '10.0.0.1:51820',
    keepaliveSeconds: 25,
    allowedIPs: ['10.2.0.0/16'],
  },
  ...fields,
});
const wantedPeer = (fields: Partial<Wanted['peers'][number]> = {}): Wanted['peers'][number] => ({
  ...{ publicKey: A, presharedKey: '', endpoint: '10.0.0.1:51820', persistentKeepaliveInterval: 25_000 },
  ...{ allowedIPs: ['10.2.0.0/16'], ...fields },
});
const present = (fields: Partial<PresentWireguard> = {}): PresentWireguard => ({
  ...{ privateKey: OWN, listenPort: 51_820, firewallMark: 0, peers: [presentPeer()] },
  ...fields,
});
const wanted = (fields: Partial<Wanted> = {}): Wanted => ({
  ...{ privateKey: OWN, publicKey: '', listenPort: 51_820, firewallMark: 0, peers: [wantedPeer()] },
  ...fields,
});

const nothing: readonly [name: string, present: PresentWireguard, wanted: Wanted][] = [
  ['a device as wanted', present(), wanted()],
  ['any port, when none is wanted', present({ listenPort: 41_234 }), wanted({ listenPort: 0 })],
  ['any key, when none is wanted', present(), wanted({ privateKey: '' })],
  ['an endpoint that has roamed, when none is wanted', present(), wanted({ peers: [wantedPeer({ endpoint: '' })] })],
  [
    'networks in another order',
    present({ peers: [presentPeer({ allowedIPs: ['10.3.0.0/16', '10.2.0.0/16'] })] }),
    wanted({ peers: [wantedPeer({ allowedIPs: ['10.2.0.0/16', '10.3.0.0/16'] })] }),
  ],
  [
    'networks with bits behind their lengths',
    present(),
    wanted({ peers: [wantedPeer({ allowedIPs: ['10.2.3.4/16'] })] }),
  ],
  [
    'a network that stands twice',
    present(),
    wanted({ peers: [wantedPeer({ allowedIPs: ['10.2.0.0/16', '10.2.0.1/16'] })] }),
  ],
  [
    'an address alone',
    present({ peers: [presentPeer({ allowedIPs: ['10.2.0.1/32'] })] }),
    wanted({ peers: [wantedPeer({ allowedIPs: ['10.2.0.1'] })] }),
  ],
  [
    'IPv6 in another spelling',
    present({ peers: [presentPeer({ allowedIPs: ['fd00::/8'] })] }),
    wanted({ peers: [wantedPeer({ allowedIPs: ['FD00:0::1/8'] })] }),
  ],
  [
    'peers in another order',
    present({ peers: [presentPeer(), presentPeer({ publicKey: B })] }),
    wanted({ peers: [wantedPeer({ publicKey: B }), wantedPeer()] }),
  ],
];

describe('a WireGuard device', () => {
  for (const [name, have, want] of nothing) {
    it(`is told nothing: ${name}`, () => assert.equal(wireguardPatch(have, want), undefined));
  }

  it('is told only what differs of itself', () => {
    const patch = wireguardPatch(present(), wanted({ privateKey: B, firewallMark: 7 }));
    assert.deepEqual(patch, { privateKey: B, firewallMark: 7, peers: [] });
    assert.deepEqual(wireguardPatch(present({ firewallMark: 7 }), wanted()), { firewallMark: 0, peers: [] });
  });

  const same = { publicKey: A, remove: false, updateOnly: false, replaceAllowedIPs: true, allowedIPs: ['10.2.0.0/16'] };
  const changes: readonly [name: string, change: Partial<Wanted['peers'][number]>, told: object][] = [
    ['keepalive', { persistentKeepaliveInterval: 0 }, { keepaliveSeconds: 0 }],
    ['endpoint', { endpoint: '[fd00::1]:5' }, { endpoint: '[fd00::1]:5' }],
    ['shared key', { presharedKey: B }, { presharedKey: B }],
    [
      'networks',
      { allowedIPs: ['fd00::5/64', '10.9.0.1/24', '10.9.0.0/16', '9.0.0.0/8'] },
      { allowedIPs: ['9.0.0.0/8', '10.9.0.0/16', '10.9.0.0/24', 'fd00::/64'] },
    ],
  ];
  for (const [name, change, told] of changes) {
    it(`is told all of a peer whose ${name} differs`, () => {
      const patch = wireguardPatch(present(), wanted({ peers: [wantedPeer(change)] }));
      assert.deepEqual(patch, { peers: [{ ...same, endpoint: '10.0.0.1:51820', keepaliveSeconds: 25, ...told }] });
    });
  }

  it('is told all of a peer whose shared key is not wanted any more', () => {
    const patch = wireguardPatch(present({ peers: [presentPeer({ presharedKey: B })] }), wanted());
    assert.deepEqual(patch, { peers: [{ ...same, endpoint: '10.0.0.1:51820', keepaliveSeconds: 25 }] });
  });

  it('loses peers one by one, and the others are not mentioned', () => {
    const patch = wireguardPatch(present({ peers: [presentPeer(), presentPeer({ publicKey: B })] }), wanted());
    assert.deepEqual(patch, {
      peers: [{ publicKey: B, remove: true, updateOnly: false, replaceAllowedIPs: false, allowedIPs: [] }],
    });
  });

  it('takes the last of several peers with one key', () => {
    const peers = [wantedPeer({ endpoint: '10.0.0.9:1' }), wantedPeer()];
    assert.equal(wireguardPatch(present(), wanted({ peers })), undefined);
  });

  it('is as wanted once it has done what it was told', () => {
    const want = wanted({ listenPort: 0, peers: [wantedPeer({ presharedKey: B, allowedIPs: ['10.2.3.4/16'] })] });
    const patch = wireguardPatch({ privateKey: '', listenPort: 0, firewallMark: 0, peers: [] }, want);
    const peers = patch?.peers.map(
      ({ endpoint = '', keepaliveSeconds = 0, presharedKey = '', publicKey, allowedIPs }) =>
        presentPeer({ publicKey, endpoint, keepaliveSeconds, presharedKey, allowedIPs }),
    );
    assert.equal(wireguardPatch(present({ privateKey: patch?.privateKey ?? '', peers: peers ?? [] }), want), undefined);
  });
});
