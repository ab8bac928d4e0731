import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkSpec } from '../resources/links.ts';
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
const HOSTS: Readonly<Record<string, readonly string[]>> = { two: ['10.0.0.1', 'fd00::1'], none: [] };

async function lookUpHost(host: string): Promise<readonly string[]> {
  const addresses = HOSTS[host];
  if (addresses === undefined) throw new Error(`${host} is unknown`);
  return addresses;
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
    ['a host without addresses is a problem', 'none:5', '', '', 'looking up endpoint none: it has no address'],
    [
      'a host that cannot be looked up is one, and the peer keeps what it has',
      'bad:5',
      '10.0.0.1:5',
      '',
      'looking up endpoint bad: bad is unknown',
    ],
  ];
  for (const [name, endpoint, known, want, problem] of cases) {
    it(name, async () => {
      const resolved = await resolveEndpoints(wanted(endpoint), present(known), lookUpHost);
      assert.equal(resolved.wireguard.peers[0]?.endpoint, want);
      assert.equal(resolved.problem, problem);
    });
  }

  it('are looked up each, whatever becomes of the others', async () => {
    const { wireguard, problem } = await resolveEndpoints(wanted('bad:1', 'two:2', 'worse:3'), present(), lookUpHost);
    assert.deepEqual(
      wireguard.peers.map(({ endpoint }) => endpoint),
      ['', '10.0.0.1:2', ''],
    );
    assert.equal(problem, 'looking up endpoint bad: bad is unknown; looking up endpoint worse: worse is unknown');
  });
});
