import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkRefresh, LinkSpec, LinkStatus } from '../resources/links.ts';
import { configOf, deviceOf, document, host, keptLog, problemOf, startLinkWorld } from './testing/link-world.ts';

describe('WireGuard', () => {
  const KEY = 'aaEHUyVXNa0VdPJyJ8pnXOOUDpxjcmzNXAYVDjKVMTM=';
  const SHARED = 'GIZ3lkEN7Vnd7y3hHJHnFrB8c+Ol3LJ5vsSlEGtmV2k=';
  const PEER = 'bB6WlFOR66Jx5rtPMIpxJ3s4XHyer9NCzqWPP7idGRo=';
  const wireguard = (endpoint: string, listenPort = 51_820) =>
    configOf(
      [],
      [
        document('WireguardConfig', 'wg0', {
          ...{ privateKey: KEY, listenPort },
          peers: [{ publicKey: PEER, presharedKey: SHARED, endpoint, allowedIPs: ['10.1.2.3/8'] }],
        }),
      ],
    );

  it('is made and told what it needs; keys are neither logged nor shown in statuses', async () => {
    const kernel = host();
    const { log, lines } = keptLog();
    await using world = await startLinkWorld(kernel, wireguard('10.0.0.1:5'), { log });
    const state = await kernel.wireguard.read('wg0');
    assert.equal(state?.privateKey, KEY);
    assert.deepEqual(
      state?.peers.map(({ endpoint, allowedIPs }) => [endpoint, allowedIPs]),
      [['10.0.0.1:5', ['10.0.0.0/8']]],
    );
    assert.equal(world.runtime.specs(LinkStatus)['wg0']?.kind, 'wireguard');
    const shown = JSON.stringify([lines, world.runtime.specs(LinkStatus), world.runtime.specs(LinkRefresh)]);
    for (const secret of [KEY, SHARED]) assert.equal(shown.includes(secret), false);
    assert.equal(LinkSpec.sensitive, true);
  });

  it('is looked at again by who shows it, after each change', async () => {
    const kernel = host();
    await using world = await startLinkWorld(kernel, wireguard('10.0.0.1:5'));
    const generation = (): number | undefined => world.runtime.specs(LinkRefresh)['wireguard']?.generation;
    assert.equal(generation(), 1);
    await world.apply(wireguard('10.0.0.1:5', 51_821));
    assert.equal(generation(), 2);
    assert.equal(kernel.operations.filter((operation) => operation === 'wireguard.create wg0').length, 1);
  });

  it('has its other settings while the host of a peer cannot be looked up, and the peer when it can', async () => {
    const kernel = host();
    let isKnown = false;
    const lookUpHost = async (name: string): Promise<readonly string[]> => {
      if (isKnown) return ['10.0.0.9'];
      throw new Error(`${name} is unknown`);
    };
    await using world = await startLinkWorld(kernel, wireguard('peer.example:5'), { lookUpHost });
    assert.equal(problemOf(world, 'wg0'), 'looking up endpoint peer.example: peer.example is unknown');
    assert.equal((await kernel.wireguard.read('wg0'))?.listenPort, 51_820);
    isKnown = true;
    // One attempt asks again, the answer brings the next one.
    for (let i = 0; i < 2; i++) await world.runtime.advance(2_000);
    assert.equal((await kernel.wireguard.read('wg0'))?.peers[0]?.endpoint, '10.0.0.9:5');
    assert.equal(problemOf(world, 'wg0'), undefined);
  });

  it('holds no other link up while a name server is silent, and is not looked up anew at every change', async () => {
    const kernel = host('eth0', 'eth1');
    const asked: string[] = [];
    let answer = (_addresses: readonly string[]): void => {};
    const lookUpHost = (name: string): Promise<readonly string[]> => {
      asked.push(name);
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const { log, lines } = keptLog();
    const both = configOf([deviceOf('zebra0', { dummy: true })], wireguard('peer.example:5').documents);
    await using world = await startLinkWorld(kernel, both, { lookUpHost, log });
    assert.ok(kernel.view.linkByName('zebra0'));
    assert.equal(problemOf(world, 'wg0'), 'looking up endpoint peer.example');
    for (const up of [true, false, true]) {
      await kernel.links.change(kernel.view.linkByName('eth1')?.index ?? 0, { up });
      await world.runtime.advance(2_000);
    }
    assert.deepEqual(asked, ['peer.example']);
    answer(['10.0.0.9']);
    await world.runtime.advance(2_000);
    assert.equal((await kernel.wireguard.read('wg0'))?.peers[0]?.endpoint, '10.0.0.9:5');
    assert.equal(problemOf(world, 'wg0'), undefined);
    assert.equal(JSON.stringify(lines).includes('spec.refused'), false);
  });

  it('tells its peers even when the link itself is refused something', async () => {
    const kernel = host();
    kernel.refuse('wg0 up=true', 'ENOMEM');
    await using world = await startLinkWorld(kernel, wireguard('10.0.0.1:5'));
    assert.match(problemOf(world, 'wg0') ?? '', /ENOMEM/);
    assert.equal((await kernel.wireguard.read('wg0'))?.peers.length, 1);
  });
});
