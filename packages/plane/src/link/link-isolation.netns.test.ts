import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type LabProcess, makeLinkLab, whyNoLinkLab } from './testing/link-lab.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
/** Listens on every address of the plane's host. */
const HOST_SERVICE = `require('net').createServer((s) => s.end()).listen(7777, '::', () => console.log('{}'))`;

describe('machines that try what they should not', { skip: whyNoLinkLab(), timeout: 90_000 }, () => {
  const lab = makeLinkLab();
  after(() => lab.end());
  let plane: LabProcess;
  const machines: { readonly ns: string; readonly process: LabProcess; readonly address: string }[] = [];
  let server = '';

  before(async () => {
    plane = lab.start(lab.plane, 'plane-end.ts', join(lab.dir, 'plane'), lab.host, A, B);
    const { port } = await plane.ask();
    for (const uuid of [A, B]) {
      const ns = lab.addMachine();
      const process = lab.start(ns, 'machine-node.ts', join(lab.dir, uuid), lab.host, String(port), uuid);
      const joined = await process.ask();
      machines.push({ ns, process, address: String(joined['address']) });
      server = String(joined['server']);
      // Everything goes into the link, whatever the server's end makes of it.
      lab.run(ns, 'ip', '-6', 'route', 'add', 'default', 'dev', 'siderolink');
      lab.run(ns, 'ip', 'route', 'add', '192.0.2.0/24', 'dev', 'siderolink');
      lab.run(ns, 'ip', 'address', 'add', `198.51.100.${machines.length}/32`, 'dev', 'siderolink');
    }
    // Other addresses of the host, and the worst case of its settings.
    lab.run(lab.plane, 'ip', '-6', 'address', 'add', '2001:db8::1/64', 'dev', 'lab', 'nodad');
    lab.run(lab.plane, 'ip', 'address', 'add', '192.0.2.1/24', 'dev', 'lab');
    for (const setting of ['ipv6/conf/all/forwarding', 'ipv4/ip_forward'])
      lab.run(lab.plane, 'sh', '-c', `echo 1 > /proc/sys/net/${setting}`);
    await lab.startNode(lab.plane, HOST_SERVICE).ask();
  });

  const dial = async (to: string, port: number): Promise<unknown> =>
    (await machines[0]?.process.ask({ ask: 'dial', to, port, timeoutMs: 700 }))?.['result'];

  it('reach the event sink', async () => assert.equal(await dial(server, 4002), 'connected'));

  it('reach no other port of the server, and no other address of its host, IPv4 included', async () => {
    for (const [to, port] of [
      [server, 7777],
      ['2001:db8::1', 7777],
      ['2001:db8::1', 4002],
      ['192.0.2.1', 7777],
    ] as const) {
      assert.equal(await dial(to, port), 'timeout', `${to} port ${port}`);
    }
  });

  it('do not reach each other', async () => {
    assert.equal(await dial(machines[1]?.address ?? '', 50_000), 'timeout');
  });

  it('are the only ones that reach its ports: a neighbour of the host that has no link does not', () => {
    const stranger = lab.addMachine();
    lab.run(stranger, 'ip', '-6', 'address', 'add', '2001:db8::9/64', 'dev', 'veth', 'nodad');
    lab.run(stranger, 'ip', '-6', 'route', 'add', `${server}/128`, 'via', '2001:db8::1');
    const knock = (to: string, port: number): string => {
      const script = `const s = require('net').connect(${port}, '${to}', () => end('connected')).on('error', (e) => end(e.code));
        s.setTimeout(700, () => end('timeout'));
        const end = (how) => { process.stdout.write(how); process.exit(); };`;
      return lab.run(stranger, process.execPath, '-e', script);
    };
    assert.equal(knock('2001:db8::1', 7777), 'connected', 'the neighbour reaches the host');
    for (const port of [4001, 4002]) assert.equal(knock(server, port), 'timeout');
  });

  it('are reached by the server', () => {
    for (const { address } of machines) {
      const script = `require('net').connect(50000, '${address}').pipe(process.stdout)`;
      assert.equal(lab.run(lab.plane, process.execPath, '-e', script), 'hello');
    }
  });

  it('have both ports bound to the address of the link only', () => {
    const listening = lab.run(lab.plane, 'ss', '-Hltn');
    const bound = [...listening.matchAll(/ (\S+):(?:4001|4002) /g)].map(([, address]) => address);
    assert.ok(bound.length > 0, listening);
    assert.deepEqual([...new Set(bound)], [`[${server}]`]);
  });

  it('are not kept from it where nftables is missing, and the status says so', async () => {
    const lonely = makeLinkLab();
    try {
      const without = lonely.start(lonely.plane, 'plane-end.ts', join(lonely.dir, 'plane'), lonely.host, A, '--no-nft');
      const { status } = (await without.ask()) as { status: Record<string, unknown> };
      assert.equal(status['state'], 'up');
      assert.match(String(status['notIsolated']), /nft/);
      await without.ask({ ask: 'stop' });
    } finally {
      lonely.end();
    }
  });
});
