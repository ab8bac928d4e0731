import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { LINK_PEER, type LinkPeer, type PeerFact, startLinkPeer } from '../testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { eventually } from '../testing/peer-process.ts';
import { whyNoLinkNamespace } from '../testing/test-namespace.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const skip = LINK_PEER.missing || whyNoLinkNamespace();

const isAnswer = ({ event }: PeerFact): boolean => event === 'provisioned' || event === 'refused';
const newKey = (): string => randomBytes(32).toString('base64');
const ended = (node: LinkPeer, name: string): Promise<PeerFact> =>
  node.told(`the end of ${name}`, (fact) => fact['event'] === 'stream-end' && fact['name'] === name);

describe('the tunnel, for upstream nodes', { skip, timeout: 120_000 }, () => {
  let plane: LinkPlane;
  let node: LinkPeer;
  before(async () => {
    plane = await startLinkPlane();
    await plane.allocate(A);
    await plane.allocate(B);
    node = startLinkPeer(['node', '-wait', '-tunnel', '-api', plane.api, '-uuid', A]);
  });
  after(async () => {
    await node?.stop();
    await plane?.end();
  });

  const refusals: [what: string, header: string, code: string][] = [
    ['without a virtual address', '', 'InvalidArgument'],
    ['with something else', 'nonsense', 'InvalidArgument'],
    ['with an address that nobody has', '[fdae:41e4:649b:9304::7]:50888', 'PermissionDenied'],
    ['with the address of the server', '[fdae:41e4:649b:9304::1]:50888', 'PermissionDenied'],
  ];
  for (const [what, header, code] of refusals) {
    it(`refuses a stream ${what} with ${code}`, async () => {
      await node.ask({ do: 'stream', name: what, header });
      assert.equal((await ended(node, what))['code'], code);
    });
  }

  it('lets a second stream replace the first, and ends what a machine loses with its key', async () => {
    const { header } = await node.ask({ do: 'ask', key: newKey() });
    assert.match(String(header), /^\[fdae:41e4:649b:9304:[0-9a-f:]+\]:\d+$/);
    await node.ask({ do: 'stream', name: 'first', header });
    await node.ask({ do: 'stream-send', name: 'first', sizes: [148] });
    await node.ask({ do: 'stream', name: 'second', header });
    const first = await ended(node, 'first');
    assert.deepEqual([first['code'], first['message']], ['Aborted', 'peer replaced']);
    assert.notEqual((await node.ask({ do: 'ask', key: newKey() }))['header'], header);
    assert.equal((await ended(node, 'second'))['code'], 'PermissionDenied');
    await node.ask({ do: 'stream', name: 'third', header });
    assert.equal((await ended(node, 'third'))['code'], 'PermissionDenied');
  });

  it('answers the same key with the same virtual address', async () => {
    const key = newKey();
    const { header } = await node.ask({ do: 'ask', key });
    assert.equal((await node.ask({ do: 'ask', key }))['header'], header);
  });

  it('drops packets that are empty or too large, and carries the others on', async (t) => {
    const machine = startLinkPeer(['node', '-tunnel', '-api', plane.api, '-uuid', B]);
    t.after(() => machine.stop());
    const fact = await machine.told('an answer', isAnswer);
    assert.equal(fact['tunnel'], true, JSON.stringify(fact));
    assert.equal((await machine.ask({ do: 'reach', timeoutMs: 20_000 }))['connected'], true);
    const { header } = await node.ask({ do: 'ask', key: newKey() });
    await node.ask({ do: 'stream', name: 'large', header });
    await node.ask({ do: 'stream-send', name: 'large', sizes: [0, 1, 70_000, 65_536, 3_000_000, 148, 1400] });
    assert.equal((await machine.ask({ do: 'reach', timeoutMs: 20_000 }))['connected'], true);
    assert.equal((await machine.ask({ do: 'log', lines: ['{"seq":1,"msg":"still here"}'] }))['ok'], true);
    await plane.logged('the line', (line) => line['msg'] === 'still here' && line['server_uuid'] === B);
    assert.equal(
      node.facts.find((one) => one['name'] === 'large' && one['event'] === 'stream-end'),
      undefined,
    );
  });

  it('is what a machine that changes from UDP has, and loses when it changes back', async (t) => {
    const tunnelled = startLinkPeer(['node', '-tunnel', '-api', plane.api, '-uuid', A]);
    t.after(() => tunnelled.stop());
    const first = await tunnelled.told('an answer', isAnswer);
    assert.equal((await tunnelled.ask({ do: 'reach', timeoutMs: 20_000 }))['connected'], true);
    const plain = startLinkPeer(['node', '-api', plane.api, '-uuid', A, '-key', String(first['privateKey'])]);
    t.after(() => plain.stop());
    const second = await plain.told('an answer', isAnswer);
    assert.deepEqual([second['tunnel'], second['address']], [false, first['address']]);
    assert.equal((await plain.ask({ do: 'reach', timeoutMs: 20_000 }))['connected'], true);
    const again = startLinkPeer(['node', '-wait', '-tunnel', '-api', plane.api, '-uuid', A]);
    t.after(() => again.stop());
    const { header } = await again.ask({ do: 'ask', key: String(first['publicKey']) });
    assert.match(String(header), /^\[fdae:41e4:649b:9304:/);
  });
});

for (const [policy, asks, want] of [
  ['force', [], true],
  ['off', ['-tunnel'], false],
] as const) {
  describe(`--siderolink-tunnel ${policy}`, { skip, timeout: 60_000 }, () => {
    it(`gives a machine ${want ? 'the tunnel that it did not ask for' : 'UDP although it asks for the tunnel'}`, async (t) => {
      const plane = await startLinkPlane('--siderolink-tunnel', policy);
      t.after(() => plane.end());
      await plane.allocate(A);
      const node = startLinkPeer(['node', '-api', plane.api, '-uuid', A, ...asks]);
      t.after(() => node.stop());
      assert.equal((await node.told('an answer', isAnswer))['tunnel'], want);
      await eventually(
        'the link',
        async () => (await node.ask({ do: 'reach', timeoutMs: 5000 }))['connected'] === true,
      );
    });
  });
}
