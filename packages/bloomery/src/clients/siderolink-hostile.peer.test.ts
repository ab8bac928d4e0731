import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { LINK_PEER, type LinkPeer, startLinkPeer } from '../testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { whyNoLinkNamespace } from '../testing/test-namespace.ts';

const GOOD = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const BAD = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const HALF_OPEN = 500;
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

describe('a hostile node', { skip: LINK_PEER.missing || whyNoLinkNamespace(), timeout: 180_000 }, () => {
  let plane: LinkPlane;
  let good: LinkPeer;
  let bad: LinkPeer;
  let seq = 0;
  before(async () => {
    plane = await startLinkPlane();
    await plane.allocate(GOOD);
    await plane.allocate(BAD);
    const node = async (uuid: string): Promise<LinkPeer> => {
      const peer = startLinkPeer(['node', '-api', plane.api, '-uuid', uuid]);
      await peer.told('its address', ({ event }) => event === 'provisioned');
      return peer;
    };
    [good, bad] = [await node(GOOD), await node(BAD)];
  });
  after(async () => {
    await Promise.all([good?.stop(), bad?.stop()]);
    await plane?.end();
  });

  /** The good machine's lines and events go on, and are its own. */
  const harmsNobody = async (): Promise<void> => {
    const mine = ++seq;
    assert.equal((await good.ask({ do: 'log', lines: [JSON.stringify({ msg: 'good', seq: mine })] }))['ok'], true);
    await plane.logged(`line ${mine}`, (line) => line['seq'] === mine && line['server_uuid'] === GOOD);
    const payload = { hostname: `good-${mine}`, addresses: ['172.25.0.5'] };
    assert.equal((await good.ask({ do: 'event', type: 'machine.AddressEvent', payload }))['code'], 'OK');
    assert.equal((await plane.binding(GOOD)).spec?.hostname, `good-${mine}`);
  };

  it('is refused an event without data and one that cannot be decoded', async () => {
    assert.equal((await bad.ask({ do: 'event', noData: true }))['code'], 'InvalidArgument');
    const broken = await bad.ask({ do: 'event', type: 'machine.AddressEvent', value: base64('\xff\xff\xff') });
    assert.equal(broken['code'], 'InvalidArgument');
    await harmsNobody();
  });

  it('cannot write lines as another machine', async () => {
    const forged = {
      msg: 'forged',
      server_uuid: GOOD,
      cluster: 'theirs',
      metal_machine: 'm',
      namespace: 'n',
      machine: 'x',
    };
    await bad.ask({ do: 'log', lines: [JSON.stringify(forged)] });
    const line = await plane.logged('the forged line', ({ msg }) => msg === 'forged');
    assert.equal(line['server_uuid'], BAD);
    assert.equal(line['cluster'], 'management-cluster');
    assert.equal(line['metal_machine'], `machine-${BAD}`);
    await harmsNobody();
  });

  it('keeps its connection after garbage, and what is good behind it arrives', async () => {
    const garbage: [what: string, bytes: string | Buffer][] = [
      ['no JSON', 'rubbish\n'],
      ['other JSON', '[1]\n"text"\n17\n'],
      ['bytes', Buffer.from([0, 0xff, 0xfe, 0x0a])],
      ['a deep object', `${'{"a":'.repeat(50_000)}\n`],
      ['an object that is too large', `{"a":"${'x'.repeat(1_200_000)}"}\n`],
    ];
    for (const [what, bytes] of garbage) {
      assert.equal((await bad.ask({ do: 'log', raw: base64(bytes), timeoutMs: 30_000 }))['ok'], true, what);
      assert.equal(
        (await bad.ask({ do: 'log', lines: [JSON.stringify({ msg: `behind ${what}` })] }))['ok'],
        true,
        what,
      );
      await plane.logged(`what is behind ${what}`, ({ msg }) => msg === `behind ${what}`);
    }
    await harmsNobody();
  });

  it(`may hold ${HALF_OPEN} connections to the event sink and as many to the machine port`, async (t) => {
    const started = bad.facts.find(({ server }) => server !== undefined);
    const address = `[${started?.['server']}]:4002`;
    const raw = base64('PRI * HTTP/2.0');
    const held = await bad.ask({ do: 'hold', count: HALF_OPEN, address, raw, timeoutMs: 2000 });
    assert.ok(Number(held['opened']) > 0, JSON.stringify(held));
    const [host = '', port] = plane.api.split(':');
    const sockets = Array.from({ length: HALF_OPEN }, () => connect(Number(port), host, () => {}));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(
      sockets.map((socket) =>
        once(
          socket.on('error', () => {}),
          'connect',
        ),
      ),
    );
    for (const socket of sockets) socket.write('PRI * HT');
    await harmsNobody();
    const machine = startLinkPeer(['node', '-wait', '-api', plane.api, '-uuid', GOOD]);
    t.after(() => machine.stop());
    assert.equal((await machine.ask({ do: 'ask', key: 'none' }))['code'], 'InvalidArgument', 'the port answers');
    await bad.ask({ do: 'release' });
  });

  it(`may hold ${HALF_OPEN} connections with half an object each`, async () => {
    const held = await bad.ask({ do: 'hold', count: HALF_OPEN, raw: base64('{"msg":"half'), timeoutMs: 2000 });
    assert.ok(Number(held['opened']) > 0, JSON.stringify(held));
    await harmsNobody();
    await bad.ask({ do: 'release' });
    await harmsNobody();
    await bad.ask({ do: 'close-log' });
    assert.equal((await bad.ask({ do: 'log', lines: ['{"msg":"bad again"}'] }))['ok'], true);
    await plane.logged('its own line', ({ msg }) => msg === 'bad again');
  });

  it('leaves the plane running, whose log tells little of it', () => {
    assert.equal(plane.serve().process.exitCode, null);
    const lines = plane.serve().stderr().split('\n').length;
    assert.ok(lines < 200, `${lines} lines`);
  });
});
