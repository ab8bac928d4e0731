import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { generateWireguardKey, virtualAddress } from '@bloomery/siderolink';
import { fakeWireguard } from '../testing/fake-wireguard.ts';
import { keyOf, linkBinding } from '../testing/link-bindings.ts';
import { createLinkPeers } from './link-peers.ts';

const A = 'fd00::a';
const B = 'fd00::b';
const [K1, K2, K3] = [keyOf('1'), keyOf('2'), keyOf('3')];
const serverPrivateKey = generateWireguardKey();
const TUNNEL = { 'bloomery.dev/siderolink-mode': 'tunnel' };

async function setUp(options: { restoreEndpoints?: boolean } = {}) {
  const clock = createFakeClock();
  const peers = createLinkPeers({ serverPrivateKey, clock, log: silentLog, ...options });
  const device = fakeWireguard();
  const revoked: string[] = [];
  peers.onRevoked((address) => revoked.push(address));
  return { clock, peers, device, revoked };
}

describe('the peers of the link', () => {
  it('follow the bindings: a peer comes with its key and goes with its binding', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    await peers.put(linkBinding('m', undefined, { revision: 1 }));
    assert.deepEqual(device.list(), []);
    const binding = linkBinding('m', { address: A, key: K1 }, { revision: 2 });
    await peers.put(binding);
    assert.deepEqual(device.list(), [`${K1} ${A}/128 -`]);
    assert.deepEqual([peers.serverAt(A), peers.serverWithKey(K1)], ['m', 'm']);
    await peers.remove(binding);
    assert.deepEqual(device.list(), []);
    assert.deepEqual([peers.serverAt(A), peers.serverWithKey(K1)], [undefined, undefined]);
  });

  for (const [first, second] of [
    [K1, K2],
    [K2, K1],
  ] as const) {
    it(`rotate a key in one request, the new owner of the address last (${first < second})`, async () => {
      const { peers, device } = await setUp();
      await peers.attach(device);
      await peers.put(linkBinding('m', { address: A, key: first }, { revision: 1 }));
      await peers.put(linkBinding('m', { address: A, key: second }, { revision: 2 }));
      assert.equal(device.updates.length, 2, 'adding, rotating');
      const [gone, added] = device.updates.at(-1)?.peers ?? [];
      assert.deepEqual([gone?.publicKey, gone?.remove], [first, true]);
      assert.deepEqual([added?.publicKey, added?.remove, added?.allowedIps], [second, false, [`${A}/128`]]);
      assert.deepEqual(device.list(), [`${second} ${A}/128 -`]);
    });
  }

  it('make one request of what comes in one turn of the event loop, and of what comes while the device is busy', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    const before = device.updates.length;
    const release = device.hold();
    const add = (i: number): Promise<void> =>
      peers.put(linkBinding(`m${i}`, { address: `fd00::${i}`, key: keyOf(`k${i}`) }, { revision: i }));
    const first = Promise.all(Array.from({ length: 50 }, (_, i) => add(100 + i)));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const second = Promise.all(Array.from({ length: 50 }, (_, i) => add(200 + i)));
    release();
    await Promise.all([first, second]);
    assert.equal(device.updates.length - before, 2);
    assert.equal(device.list().length, 100);
  });

  it('are not asked for anything when a binding changes otherwise', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    await peers.put(linkBinding('m', { address: A, key: K1 }, { revision: 1 }));
    const before = device.updates.length;
    await peers.put(linkBinding('m', { address: A, key: K1 }, { revision: 2, status: { link: 'up' } }));
    assert.equal(device.updates.length, before);
  });

  it('are not set back by what a late cache tells', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    await peers.put(linkBinding('m', { address: A, key: K2 }, { revision: 20 }));
    await peers.put(linkBinding('m', { address: A, key: K1 }, { revision: 9 }));
    assert.deepEqual(device.list(), [`${K2} ${A}/128 -`]);
  });

  it('do not come back by an answer that is later than the deletion', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    const late = linkBinding('m', { address: A, key: K1 }, { revision: 5 });
    await peers.remove(late);
    await peers.put(late);
    assert.deepEqual(device.list(), []);
    await peers.put(linkBinding('m', { address: B, key: K1 }, { revision: 7, uid: 'another' }));
    assert.deepEqual(device.list(), [`${K1} ${B}/128 -`]);
    await peers.remove(late);
    assert.deepEqual(device.list(), [`${K1} ${B}/128 -`], 'the deletion of the earlier binding');
  });

  it('give an address to the first binding that has it, and to the next when that is gone', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    const first = linkBinding('m1', { address: A, key: K1 }, { revision: 1 });
    await peers.put(first);
    await peers.put(linkBinding('m2', { address: A, key: K2 }, { revision: 2 }));
    await peers.put(linkBinding('m3', { address: B, key: K1 }, { revision: 3 }));
    assert.deepEqual(device.list(), [`${K1} ${A}/128 -`]);
    await peers.remove(first);
    assert.deepEqual(device.list().toSorted(), [`${K2} ${A}/128 -`, `${K1} ${B}/128 -`].toSorted());
    assert.deepEqual([peers.serverAt(A), peers.serverAt(B)], ['m2', 'm3']);
  });

  it('leave out what is no address or no key', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    await peers.put(linkBinding('m', { address: 'nonsense', key: K1 }, { revision: 1 }));
    await peers.put(linkBinding('n', { address: A, key: 'bm8=' }, { revision: 1 }));
    assert.deepEqual(device.list(), []);
  });

  it('are repeated with what is wanted then when the device refused', async () => {
    const { clock, peers, device } = await setUp();
    await peers.attach(device);
    const [m1, m2] = [
      linkBinding('m1', { address: A, key: K1 }, { revision: 1 }),
      linkBinding('m2', { address: B, key: K2 }, { revision: 2 }),
    ];
    device.failNext(2);
    const refused = await Promise.allSettled([peers.put(m1), peers.put(m2)]);
    assert.deepEqual(
      refused.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await assert.rejects(peers.remove(m1), 'the second refusal');
    await clock.advance(1_000);
    await peers.put(linkBinding('m3', undefined, { revision: 3 }));
    assert.deepEqual(device.list(), [`${K2} ${B}/128 -`], 'whatever the refused requests did half');
  });
});

describe('a device that comes', () => {
  it('gets all peers, keeps what is right and loses strangers', async () => {
    const { peers, device } = await setUp();
    const [m1, m2] = [
      linkBinding('m1', { address: A, key: K1 }, { revision: 1 }),
      linkBinding('m2', { address: B, key: K2 }, { revision: 2 }),
    ];
    await peers.put(m1);
    await peers.put(m2);
    const peer = { remove: false, replaceAllowedIps: true };
    await device.update({
      peers: [
        { ...peer, publicKey: K1, allowedIps: [`${A}/128`], endpoint: '10.0.0.9:1' },
        { ...peer, publicKey: K3, allowedIps: ['fd00::c/128'] },
      ],
    });
    await peers.attach(device);
    assert.deepEqual(device.list().toSorted(), [`${K1} ${A}/128 10.0.0.9:1`, `${K2} ${B}/128 -`].toSorted());
    assert.deepEqual(
      device.updates.at(-1)?.peers?.map(({ publicKey }) => publicKey),
      [K3, K2],
      'the session of a peer that is right lives on',
    );
  });

  it('gets what changed while it was filled', async () => {
    const { peers, device } = await setUp();
    const m1 = linkBinding('m1', { address: A, key: K1 }, { revision: 1 });
    await peers.put(m1);
    const release = device.hold();
    const attached = peers.attach(device);
    const changes = [peers.remove(m1), peers.put(linkBinding('m2', { address: A, key: K2 }, { revision: 3 }))];
    release();
    await Promise.all([attached, ...changes]);
    assert.deepEqual(device.list(), [`${K2} ${A}/128 -`]);
  });

  it('is given the stored endpoints of peers it does not know, and says whom to call: who was linked, newest first', async () => {
    const { peers, device } = await setUp();
    const seen = (linkEndpoint: string, minute: number, link: 'up' | 'down') => ({
      status: { link, linkEndpoint, lastHandshake: `2026-01-01T00:0${minute}:00Z` },
    });
    await peers.put(linkBinding('m1', { address: A, key: K1 }, seen('10.0.0.1:1000', 1, 'up')));
    await peers.put(linkBinding('m2', { address: B, key: K2 }, seen('[fd01::2]:2000', 2, 'up')));
    await peers.put(linkBinding('m3', { address: 'fd00::c', key: K3 }, seen('10.0.0.3:3000', 3, 'down')));
    await peers.put(
      linkBinding(
        'm4',
        { address: 'fd00::d', key: keyOf('4') },
        { ...seen('127.0.0.1:4', 4, 'up'), annotations: TUNNEL },
      ),
    );
    await peers.put(
      linkBinding('m5', { address: 'fd00::e', key: keyOf('5') }, seen('10.0.0.5\nlisten_port=1', 5, 'up')),
    );
    assert.deepEqual(await peers.attach(device), [K2, K1]);
    assert.deepEqual(
      device
        .list()
        .map((line) => line.split(' ').at(-1))
        .toSorted(),
      ['-', '-', '10.0.0.1:1000', '10.0.0.3:3000', '[fd01::2]:2000'],
    );
    assert.deepEqual(await peers.attach(device), [], 'a device that knows its peers needs nobody called');
  });

  it('is given no endpoints when they shall not be restored', async () => {
    const { peers, device } = await setUp({ restoreEndpoints: false });
    const status = { link: 'up', linkEndpoint: '10.0.0.1:1000' } as const;
    await peers.put(linkBinding('m1', { address: A, key: K1 }, { status }));
    assert.deepEqual(await peers.attach(device), []);
    assert.deepEqual(device.list(), [`${K1} ${A}/128 -`]);
  });

  it('calls a peer by turning its keepalive on and off, and never makes a peer by it', async () => {
    const { peers, device } = await setUp();
    await peers.attach(device);
    const before = device.updates.length;
    await peers.call([K1]);
    assert.equal(device.updates.length, before);
    await peers.put(linkBinding('m1', { address: A, key: K1 }));
    await peers.call([K1, K2]);
    assert.deepEqual(
      device.updates.at(-1)?.peers?.map(({ publicKey, keepaliveSeconds }) => [publicKey, keepaliveSeconds]),
      [
        [K1, 25],
        [K1, 0],
      ],
    );
  });
});

describe('tunnelled machines', () => {
  const V1 = virtualAddress(serverPrivateKey, K1);
  const V2 = virtualAddress(serverPrivateKey, K2);
  const tunnelled = (key: string, revision: number, annotations: Record<string, string> = TUNNEL) =>
    linkBinding('m', { address: A, key }, { revision, annotations });

  it('are found by their virtual address, others are not', async () => {
    const { peers } = await setUp();
    await peers.put(tunnelled(K1, 1));
    await peers.put(linkBinding('n', { address: B, key: K2 }));
    assert.deepEqual([peers.serverWithVirtualAddress(V1), peers.serverWithVirtualAddress(V2)], ['m', undefined]);
  });

  const changes: [name: string, next: ReturnType<typeof tunnelled> | undefined, revoked: string[]][] = [
    ['another status', tunnelled(K1, 2), []],
    ['a new key', tunnelled(K2, 2), [V1]],
    ['UDP from now on', tunnelled(K1, 2, {}), [V1]],
    ['no peer any more', linkBinding('m', undefined, { revision: 2 }), [V1]],
    ['no binding any more', undefined, [V1]],
  ];
  for (const [name, next, want] of changes) {
    it(`${want.length === 0 ? 'keep' : 'lose'} their virtual address by ${name}`, async () => {
      const { peers, revoked } = await setUp();
      await peers.put(tunnelled(K1, 1));
      await (next === undefined ? peers.remove(tunnelled(K1, 1)) : peers.put(next));
      assert.deepEqual(revoked, want);
      assert.equal(peers.serverWithVirtualAddress(V1), want.length === 0 ? 'm' : undefined);
    });
  }
});
