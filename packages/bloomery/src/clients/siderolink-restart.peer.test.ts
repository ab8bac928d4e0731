import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LINK_PEER, startLinkPeer } from '../testing/link-peer.ts';
import { startLinkPlane } from '../testing/link-plane.ts';
import { whyNoLinkNamespace } from '../testing/test-namespace.ts';

const MACHINES = [
  { uuid: '6b121f82-24a8-4611-9d23-fa1a5ba564f0', way: 'UDP', args: [] },
  { uuid: '6b121f82-24a8-4611-9d23-fa1a5ba564f1', way: 'tunnel', args: ['-tunnel'] },
] as const;

describe('a plane that is killed', { skip: LINK_PEER.missing || whyNoLinkNamespace(), timeout: 120_000 }, () => {
  it('has the same key and addresses afterwards, and linked nodes log on without another Provision call', async (t) => {
    const plane = await startLinkPlane();
    t.after(() => plane.end());
    const nodes = [];
    for (const { uuid, way, args } of MACHINES) {
      await plane.allocate(uuid);
      const node = startLinkPeer(['node', '-api', plane.api, '-uuid', uuid, ...args]);
      t.after(() => node.stop());
      const fact = await node.told('its address', ({ event }) => event === 'provisioned');
      assert.equal(fact['tunnel'], way === 'tunnel');
      assert.equal((await node.ask({ do: 'log', lines: ['{"msg":"before"}'] }))['ok'], true);
      await plane.logged('a line', (line) => line['msg'] === 'before' && line['server_uuid'] === uuid);
      nodes.push({ node, uuid, way, fact, spec: (await plane.binding(uuid)).spec?.siderolink });
    }

    await plane.serve().stop('SIGKILL');
    await plane.restart();
    await Promise.all(
      nodes.map(async ({ node, uuid, way, spec }) => {
        const reached = await node.ask({ do: 'reach', timeoutMs: 60_000 });
        assert.equal(reached['connected'], true, `${way}: ${JSON.stringify(reached)}`);
        t.diagnostic(`${way}: back ${reached['ms']} ms after the plane was ready`);
        await node.ask({ do: 'close-log' });
        assert.equal((await node.ask({ do: 'log', lines: ['{"msg":"after"}'] }))['ok'], true);
        await plane.logged('a line', (line) => line['msg'] === 'after' && line['server_uuid'] === uuid);
        assert.deepEqual((await plane.binding(uuid)).spec?.siderolink, spec);
        const told = node.facts.filter(({ event }) => event === 'provisioned').length;
        assert.equal(told, 1);
      }),
    );

    const newcomer = startLinkPeer(['node', '-api', plane.api, '-uuid', MACHINES[0].uuid]);
    t.after(() => newcomer.stop());
    const again = await newcomer.told('its address', ({ event }) => event === 'provisioned');
    assert.equal(again['serverPublicKey'], nodes[0]?.fact['serverPublicKey']);
    assert.equal(again['address'], nodes[0]?.fact['address']);
  });
});
