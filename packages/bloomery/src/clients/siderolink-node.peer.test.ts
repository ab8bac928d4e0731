import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { patchObject } from '@bloomery/kube';
import { serverBinding } from '@bloomery/model';
import { LINK_PEER, type PeerFact, startLinkPeer } from '../testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { eventually } from '../testing/peer-process.ts';
import { whyNoLinkNamespace } from '../testing/test-namespace.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const BAD_KEY = 'a'.repeat(44);
const LINE = {
  clock: 8_576_583,
  facility: 'user',
  msg: '[talos] phase mountState (6/13): 1 tasks(s)\n',
  priority: 'warning',
  seq: 665,
  'talos-level': 'warn',
  'talos-time': '2022-02-11T12:42:02.74807823Z',
};

describe('an upstream SideroLink node', { skip: LINK_PEER.missing || whyNoLinkNamespace(), timeout: 180_000 }, () => {
  let plane: LinkPlane;
  before(async () => {
    plane = await startLinkPlane();
    await plane.allocate(A, 'management-cluster-cp-vrff4');
    await plane.allocate(B);
  });
  after(() => plane?.end());

  const joined = async (uuid: string, ...args: string[]) => {
    const node = startLinkPeer(['node', '-api', plane.api, '-uuid', uuid, ...args]);
    const fact = await node.told(
      'an answer to Provision',
      ({ event }) => event === 'provisioned' || event === 'refused',
    );
    assert.equal(fact['event'], 'provisioned', JSON.stringify(fact));
    return { node, fact };
  };

  for (const [way, uuid, args] of [
    ['UDP', A, []],
    ['the tunnel', B, ['-tunnel']],
  ] as const) {
    it(`is linked over ${way}: its log and its events are attributed, and the server reaches it`, async (t) => {
      if (way !== 'UDP') {
        plane.namespace.run(
          'nft',
          'add table inet nudp; add chain inet nudp in { type filter hook input priority 0; };',
        );
        plane.namespace.run('nft', 'add rule inet nudp in udp dport 51821 iifname cable drop');
        t.after(() => plane.namespace.run('nft', 'delete table inet nudp'));
      }
      const { node, fact } = await joined(uuid, ...args);
      t.after(() => node.stop());
      assert.equal(fact['tunnel'], way !== 'UDP');
      assert.equal((await node.ask({ do: 'log', lines: [JSON.stringify(LINE)] }))['ok'], true);
      const line = await plane.logged(`the line of ${uuid}`, (l) => l['seq'] === 665 && l['server_uuid'] === uuid);
      const machine = uuid === A ? 'management-cluster-cp-vrff4' : `machine-${B}`;
      assert.deepEqual(line, {
        ...LINE,
        server_uuid: uuid,
        namespace: 'default',
        metal_machine: machine,
        cluster: 'management-cluster',
        machine: `${machine}-owner`,
      });

      const send = (type: string, payload: unknown): Promise<PeerFact> =>
        node.ask({ do: 'event', type: `machine.${type}`, payload, eventId: 'cq00000000000000000g' });
      const addresses = ['172.25.0.5', String(fact['address']), 'not-an-ip', 'fe80::1'];
      assert.equal((await send('AddressEvent', { hostname: 'pxe-2', addresses }))['code'], 'OK');
      assert.equal((await send('PhaseEvent', { phase: 'saveConfig', action: 'START' }))['code'], 'OK');
      const failed = { sequence: 'install', action: 'NOOP', error: { code: 'FATAL', message: 'no disk' } };
      assert.equal((await send('SequenceEvent', failed))['code'], 'OK');
      assert.equal((await send('RestartEvent', { cmd: '1' }))['code'], 'OK');
      assert.equal((await node.ask({ do: 'event', type: 'machine.NoSuchEvent', value: 'AAAA' }))['code'], 'OK');
      const { spec, status } = await plane.binding(uuid);
      assert.deepEqual([spec?.hostname, spec?.addresses], ['pxe-2', ['172.25.0.5']]);
      assert.deepEqual(
        status?.conditions
          ?.filter((c) => c.type.startsWith('Talos'))
          .map((c) => [c.type, c.status, c.reason, c.message]),
        [
          ['TalosConfigLoaded', 'True', undefined, undefined],
          ['TalosConfigValidated', 'True', undefined, undefined],
          ['TalosInstalled', 'False', 'TalosInstallationFailed', 'no disk'],
        ],
      );
      assert.equal(await echoed(plane, String(fact['address'])), 'hello');
    });
  }

  it('has its lines attributed anew as soon as its label changes', async (t) => {
    const { node } = await joined(B);
    t.after(() => node.stop());
    const labels = { 'cluster.x-k8s.io/cluster-name': 'renamed' };
    await patchObject(plane.client, serverBinding, { name: B }, () => ({ metadata: { labels } }));
    await eventually('the new attribution', async () => {
      await node.ask({ do: 'log', lines: ['{"msg":"renamed"}'] });
      return plane.logLines().some(({ msg, cluster }) => msg === 'renamed' && cluster === 'renamed');
    });
  });

  it('keeps its address with a new key, and the old key is of no use any more', async (t) => {
    const { node, fact } = await joined(A);
    t.after(() => node.stop());
    assert.equal((await node.ask({ do: 'dial' }))['connected'], true);
    const again = await joined(A);
    t.after(() => again.node.stop());
    assert.equal(again.fact['address'], fact['address']);
    assert.notEqual(again.fact['publicKey'], fact['publicKey']);
    assert.equal((await again.node.ask({ do: 'dial' }))['connected'], true, 'on the first handshake');
    assert.equal((await node.ask({ do: 'dial', timeoutMs: 1500 }))['connected'], false);
    const same = await joined(A, '-key', String(again.fact['privateKey']));
    t.after(() => same.node.stop());
    assert.equal(same.fact['address'], fact['address']);
  });

  it('is told what is wrong with a bad key and with a UUID that is not allocated; nothing is stored', async (t) => {
    const before = (await plane.binding(B)).spec?.siderolink;
    const node = startLinkPeer(['node', '-wait', '-api', plane.api, '-uuid', B]);
    t.after(() => node.stop());
    assert.equal((await node.ask({ do: 'ask', key: BAD_KEY }))['code'], 'InvalidArgument');
    assert.equal((await node.ask({ do: 'ask', key: '' }))['code'], 'InvalidArgument');
    assert.deepEqual((await plane.binding(B)).spec?.siderolink, before);
    const unknown = startLinkPeer(['node', '-api', plane.api, '-uuid', 'ffffffff-24a8-4611-9d23-fa1a5ba564f0']);
    t.after(() => unknown.stop());
    const refused = await unknown.told('a refusal', ({ event }) => event === 'refused');
    assert.equal(refused['code'], 'NotFound');
    assert.match(String(refused['message']), /ffffffff-24a8-4611-9d23-fa1a5ba564f0/);
  });

  it('reaches the two ports of the link only, and no other machine', async (t) => {
    const [a, b] = [await joined(A), await joined(B)];
    t.after(() => Promise.all([a.node.stop(), b.node.stop()]));
    for (const { node } of [a, b])
      await eventually('the link', async () => (await node.ask({ do: 'dial' }))['connected']);
    const server = String(a.fact['server']);
    const connected = async (address: string): Promise<unknown> =>
      (await a.node.ask({ do: 'dial', address, timeoutMs: 1000 }))['connected'];
    assert.equal(await connected(`[${server}]:4002`), true);
    for (const closed of [`[${server}]:8081`, `[${server}]:6443`, `[${b.fact['address']}]:50000`])
      assert.equal(await connected(closed), false, closed);
  });

  it('is cut off when its binding goes, over UDP and in the tunnel', async (t) => {
    const [a, b] = [await joined(A), await joined(B, '-tunnel')];
    t.after(() => Promise.all([a.node.stop(), b.node.stop()]));
    for (const { node } of [a, b])
      await eventually('the link', async () => (await node.ask({ do: 'dial' }))['connected']);
    for (const name of [A, B]) await plane.client.delete(serverBinding, { name });
    for (const { node } of [a, b]) {
      await eventually('the end of the link', async () => {
        const { connected } = await node.ask({ do: 'dial', timeoutMs: 500 });
        return connected === false;
      });
      const { code } = await node.ask({ do: 'ask', key: randomBytes(32).toString('base64') });
      assert.equal(code, 'NotFound');
    }
  });
});

/** Send a word to the node's port 50000 from the plane's namespace; it comes back. */
async function echoed(plane: LinkPlane, address: string): Promise<string> {
  const script = `const s=require('net').connect(50000,'${address}',()=>s.write('hello'));s.on('data',(d)=>{process.stdout.write(d);s.end()});setTimeout(()=>process.exit(1),10000).unref()`;
  return plane.namespace.run(process.execPath, '-e', script);
}
