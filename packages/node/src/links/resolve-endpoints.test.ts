import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkSpec } from '../resources/links.ts';
import type { HostAnswer } from './host-look-ups.ts';
import { resolveEndpoints } from './resolve-endpoints.ts';

type Wanted = LinkSpec['wireguard'];

const wanted = (...endpoints: readonly string[]): Wanted => ({
  ...LinkSpec.make().wireguard,
  peers: endpoints.map((endpoint, i) => ({
    ...{ publicKey: `key${i}`, endpoint, presharedKey: '', persistentKeepaliveInterval: 0, allowedIPs: [] },
  })),
});
const present = (...endpoints: readonly string[]) => ({
  ...{ privateKey: '', listenPort: 0, firewallMark: 0 },
  peers: endpoints.map((endpoint, i) => ({
    ...{ publicKey: `key${i}`, endpoint, presharedKey: '', keepaliveSeconds: 0, allowedIPs: [] },
  })),
});
const HOSTS: Readonly<Record<string, readonly string[]>> = { two: ['10.0.0.1', 'fd00::1'] };

function ask(host: string): HostAnswer {
  if (host === 'slow') return { waiting: 'looking up slow' };
  const addresses = HOSTS[host];
  return addresses === undefined ? { problem: `${host} is unknown` } : { addresses };
}

describe('endpoints of WireGuard peers', () => {
  const cases: readonly [name: string, endpoint: string, known: string, want: string, problem: string | undefined][] = [
    ['an address stays', '10.9.9.9:1', '', '10.9.9.9:1', undefined],
    ['an IPv6 address stays', '[fd00::9]:1', '', '[fd00::9]:1', undefined],
    ['an address is spelt as the kernel does', '[FD00:0::9]:1', '', '[fd00::9]:1', undefined],
    ['none stays none', '', '10.0.0.1:1', '', undefined],
    ['a host is its first address', 'two:5', '', '10.0.0.1:5', undefined],
    ['a host that the peer already talks to is left', 'two:5', '[fd00::1]:5', '[fd00::1]:5', undefined],
    ['a peer that talks to another host goes to this one', 'two:5', '10.7.7.7:5', '10.0.0.1:5', undefined],
    [
      'a host that cannot be looked up is one, and the peer keeps what it has',
      'bad:5',
      '10.0.0.1:5',
      '',
      'bad is unknown',
    ],
  ];
  for (const [name, endpoint, known, want, problem] of cases) {
    it(name, () => {
      const resolved = resolveEndpoints(wanted(endpoint), present(known), ask);
      assert.equal(resolved.wireguard.peers[0]?.endpoint, want);
      assert.equal(resolved.problem, problem);
    });
  }

  it('are looked up each, whatever becomes of the others', () => {
    const endpoints = ['bad:1', 'two:2', 'worse:3', 'bad:4', 'slow:5'];
    const { wireguard, problem, waiting } = resolveEndpoints(wanted(...endpoints), present(), ask);
    assert.deepEqual(
      wireguard.peers.map(({ endpoint }) => endpoint),
      ['', '10.0.0.1:2', '', '', ''],
    );
    assert.equal(problem, 'bad is unknown; worse is unknown');
    assert.equal(waiting, 'looking up slow');
  });
});
