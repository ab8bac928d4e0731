import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { generateWireguardKey, virtualAddress } from '@bloomery/siderolink';
import fc from 'fast-check';
import { type FakeWireguard, fakeWireguard } from '../testing/fake-wireguard.ts';
import { keyOf, linkBinding } from '../testing/link-bindings.ts';
import { createLinkPeers } from './link-peers.ts';

const KEYS = ['1', '2', '3'].map(keyOf);
const ADDRESSES = ['fd00::a', 'fd00::b', 'fd00::c'];
const NAMES = ['m1', 'm2', 'm3', 'm4'];
const serverPrivateKey = generateWireguardKey();

const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      name: one(NAMES),
      key: one(KEYS),
      address: one(ADDRESSES),
      tunnel: fc.boolean(),
      isLate: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name: one(NAMES) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('attach' as const), isFresh: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('detach' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

describe('the peers of the link, whatever happens in whatever order', () => {
  it('end as the bindings are: in the device, in what is known, and in who may tunnel', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = createFakeClock();
        const peers = createLinkPeers({ serverPrivateKey, clock, log: silentLog });
        const allowed = new Set<string>();
        peers.onRevoked((address) => allowed.delete(address));
        let device: FakeWireguard = fakeWireguard();
        const latest = new Map<string, ReturnType<typeof linkBinding>>();
        const pending: Promise<unknown>[] = [];
        const begin = (work: Promise<unknown>): void => void pending.push(work.catch(() => {}));
        begin(peers.attach(device));
        let revision = 10_000;
        for (const s of steps) {
          revision += 10;
          if (s.do === 'put') {
            const annotations = s.tunnel ? { 'bloomery.dev/siderolink-mode': 'tunnel' } : {};
            const uid = latest.get(s.name)?.metadata.uid ?? `uid-${revision}`;
            const old = s.isLate ? { revision: revision - 1_000 } : { revision };
            const binding = linkBinding(s.name, { address: s.address, key: s.key }, { uid, annotations, ...old });
            // A late state of what was never seen is news.
            if (!s.isLate) latest.set(s.name, binding);
            if (!s.isLate || latest.has(s.name)) begin(peers.put(binding));
          } else if (s.do === 'remove') {
            const have = latest.get(s.name);
            if (have !== undefined) begin(peers.remove(have));
            latest.delete(s.name);
          } else if (s.do === 'fail') device.failNext(s.count);
          else if (s.do === 'attach') {
            device.failNext(0);
            if (s.isFresh) device = fakeWireguard();
            begin(peers.attach(device));
          } else if (s.do === 'detach') begin(peers.attach(undefined));
          else await clock.advance(1_500);
          for (const key of KEYS) {
            const address = virtualAddress(serverPrivateKey, key);
            if (peers.serverWithVirtualAddress(address) !== undefined) allowed.add(address);
            else assert.ok(!allowed.has(address), 'a virtual address is revoked when nobody has it');
          }
        }
        await Promise.all(pending);
        device.failNext(0);
        await clock.advance(5_000);
        await peers.attach(device);

        const wanted = [...peers.peers()];
        assert.deepEqual(
          device.list().toSorted(),
          wanted.map(([, { publicKey, address }]) => `${publicKey} ${address}/128 -`).toSorted(),
        );
        for (const [name, { publicKey, address, mode }] of wanted) {
          const { siderolink } = latest.get(name)?.spec ?? {};
          assert.deepEqual([siderolink?.publicKey, siderolink?.address], [publicKey, `${address}/64`]);
          assert.deepEqual([peers.serverWithKey(publicKey), peers.serverAt(address)], [name, name]);
          const owner = peers.serverWithVirtualAddress(virtualAddress(serverPrivateKey, publicKey));
          assert.equal(owner, mode === 'tunnel' ? name : undefined);
        }
        for (const [name, { spec }] of latest) {
          if (wanted.some(([owner]) => owner === name)) continue;
          const { publicKey = '', address = '' } = spec?.siderolink ?? {};
          const taken = peers.serverWithKey(publicKey) ?? peers.serverAt(address.replace('/64', ''));
          assert.ok(taken !== undefined, `${name} has no peer although its key and its address are free`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('need no new device to end so: refused changes are repeated', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(one(NAMES), one(KEYS), fc.nat(2)), { minLength: 1, maxLength: 12 }),
        async (changes) => {
          const clock = createFakeClock();
          const peers = createLinkPeers({ serverPrivateKey, clock, log: silentLog });
          const device = fakeWireguard();
          await peers.attach(device);
          const pending: Promise<unknown>[] = [];
          const begin = (work: Promise<unknown>): void => void pending.push(work.catch(() => {}));
          for (const [at, [name, key, failures]] of changes.entries()) {
            if (failures > 0) device.failNext(failures);
            const address = `fd00::${NAMES.indexOf(name) + 1}`;
            begin(peers.put(linkBinding(name, { address, key }, { revision: at + 1 })));
            if (at % 2 === 0) await clock.advance(100);
          }
          await Promise.all(pending);
          for (let i = 0; i < 4; i++) {
            await clock.advance(2_000);
            await peers.call([]);
          }
          assert.deepEqual(
            device.list().toSorted(),
            [...peers.peers()].map(([, peer]) => `${peer.publicKey} ${peer.address}/128 -`).toSorted(),
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
