import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { eachNetlinkMessage, encodeWireguardSet, NetlinkBytes } from '@bloomery/wire';
import { createFakeKernel, type FakeKernel } from '../testing/fake-kernel/fake-kernel.ts';
import type { KernelLinks } from './kernel.ts';
import { errnoNumber, kernelRefused } from './kernel-error.ts';
import { type LinuxWireguard, linuxWireguard } from './linux-wireguard.ts';
import type { NetlinkRequests } from './netlink-socket.ts';

const KEYS = ['gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=', 'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0='];
const peer = (publicKey: string) => ({
  ...{ publicKey, remove: false, updateOnly: false, replaceAllowedIPs: true, allowedIPs: ['10.4.0.0/24'] },
});

/** What a socket of generic netlink is asked, and what it answers: peers of a device, told whole or while they change. */
class FakeGeneric implements NetlinkRequests {
  readonly asked: string[] = [];
  readonly sent: Uint8Array[] = [];
  answers: { readonly peers: readonly string[]; readonly isInterrupted: boolean }[] = [];
  refusal: Error | undefined;

  async request(what: string, request: Uint8Array, onAnswer: Parameters<NetlinkRequests['request']>[2] = () => {}) {
    this.asked.push(what);
    this.sent.push(request);
    if (this.refusal !== undefined) throw this.refusal;
    const answer = what.startsWith('reading') ? this.answers.shift() : undefined;
    if (answer === undefined) return false;
    const peers = answer.peers.map(peer);
    for (const message of encodeWireguardSet(0, 'wg0', { listenPort: 51_820, peers })) {
      const bytes = new NetlinkBytes(message);
      eachNetlinkMessage(bytes, (head) => onAnswer(bytes, head));
    }
    return answer.isInterrupted;
  }
}

describe('WireGuard of the kernel', () => {
  let kernel: FakeKernel;
  let generic: FakeGeneric;
  let wireguard: LinuxWireguard;
  const make = (links: KernelLinks): LinuxWireguard =>
    linuxWireguard({
      ...{ clock: createFakeClock(), log: silentLog, view: kernel.view, links, requests: generic },
      ...{ stateDir: '/nowhere', leave: false, settled: async () => {}, show: () => {} },
    });
  beforeEach(async () => {
    kernel = createFakeKernel();
    generic = new FakeGeneric();
    wireguard = make(kernel.links);
    await wireguard.create('wg0');
  });

  it('is read again when its peers changed while it was read', async () => {
    generic.answers = [
      { peers: KEYS.slice(0, 1), isInterrupted: true },
      { peers: KEYS, isInterrupted: false },
    ];
    const state = await wireguard.read('wg0');
    assert.deepEqual([state?.listenPort, state?.peers.map(({ publicKey }) => publicKey)], [51_820, KEYS]);
  });

  it('that changes all the time is told as it was read last', async () => {
    generic.answers = Array(9).fill({ peers: KEYS, isInterrupted: true });
    assert.equal((await wireguard.read('wg0'))?.peers.length, 2);
    assert.equal(generic.answers.length, 6);
  });

  it('is looked for again when its module was not there, and once when it is', async () => {
    generic.refusal = kernelRefused('looking for wireguard in the kernel', { errno: errnoNumber('ENOENT') });
    await assert.rejects(wireguard.read('wg0'), /ENOENT/);
    generic.refusal = undefined;
    await wireguard.read('wg0');
    await wireguard.configure('wg0', { peers: [] });
    assert.deepEqual(generic.asked.slice(1), [
      'looking for wireguard in the kernel',
      'reading WireGuard of wg0',
      'setting up WireGuard of wg0',
    ]);
  });

  it('takes the shared key of a peer away that is told as a whole without one, and of no other', async () => {
    const zeros = Buffer.from([36, 0, 2, 0, ...Buffer.alloc(32)]);
    const [key = ''] = KEYS;
    await wireguard.configure('wg0', { peers: [peer(key)] });
    assert.equal(Buffer.from(generic.sent.at(-1) ?? []).includes(zeros), true);
    await wireguard.configure('wg0', { peers: [{ ...peer(key), replaceAllowedIPs: false }] });
    assert.equal(Buffer.from(generic.sent.at(-1) ?? []).includes(zeros), false);
  });

  it('knows of no device where there is none, or a link of another kind', async () => {
    await kernel.links.create({ name: 'br0', kind: 'bridge' });
    assert.deepEqual(
      [await wireguard.read('br0'), await wireguard.read('wg9'), generic.asked],
      [undefined, undefined, []],
    );
    await assert.rejects(wireguard.create('br0'), /creating br0 \(wireguard\): EEXIST/);
  });

  it('is not replaced by wireguard-go when the kernel refuses for another reason than that it has none', async () => {
    kernel.refuse('link.create wg1', 'EPERM');
    await assert.rejects(make(kernel.links).create('wg1'), /EPERM/);
    assert.equal(wireguard.isUserspace('wg1'), false);
  });
});
