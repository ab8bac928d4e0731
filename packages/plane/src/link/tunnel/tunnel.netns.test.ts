import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { killIfThere, type LabProcess, makeLinkLab, whyNoLinkLab } from '../testing/link-lab.ts';

const TUNNELLED = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const BY_UDP = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const SINK = 4002;

describe('a network that lets no WireGuard through', { skip: whyNoLinkLab(), timeout: 120_000 }, () => {
  const lab = makeLinkLab();
  after(() => lab.end());
  const wg = join(lab.dir, 'plane');
  const startPlane = async (port = 0): Promise<{ plane: LabProcess; port: number }> => {
    const plane = lab.start(lab.plane, 'plane-end.ts', wg, lab.host, TUNNELLED, BY_UDP, `--port=${port}`);
    const hello = await plane.ask();
    assert.equal((hello['status'] as Record<string, unknown>)['state'], 'up', JSON.stringify(hello));
    return { plane, port: Number(hello['port']) };
  };
  const startMachine = (name: string, port: number, uuid: string, ...flags: readonly string[]): LabProcess =>
    lab.start(lab.addMachine(), 'machine-node.ts', join(lab.dir, name), lab.host, String(port), uuid, ...flags);
  it('is crossed by the gRPC tunnel, also after restarts of the plane and a second relay', async (t) => {
    const rules =
      'table inet block { chain in { type filter hook input priority -200; iifname "lab" meta l4proto udp counter drop; }; }';
    lab.run(lab.plane, 'nft', rules);
    const first = await startPlane();
    const byUdp = startMachine('u', first.port, BY_UDP);
    const machine = startMachine('t', first.port, TUNNELLED, '--tunnel');
    const { server } = await machine.ask();
    const dial = { ask: 'dial', to: server, port: SINK, timeoutMs: 1_000 };
    const connects = async (when: string): Promise<void> => {
      const { result, tookMs } = await machine.ask({ ...dial, deadlineMs: 10_000 });
      t.diagnostic(`${when}: linked in ${tookMs} ms`);
      assert.equal(result, 'connected', when);
    };
    await connects('at first');
    const { server: sameServer } = await byUdp.ask();
    assert.equal((await byUdp.ask({ ...dial, to: sameServer }))['result'], 'timeout', 'UDP is blocked');
    const [view] = (await first.plane.ask({ ask: 'peers' })) as unknown as { mode: string }[];
    assert.equal(view?.mode, 'tunnel');
    assert.equal(String((await machine.ask({ ask: 'replace' }))['result']), 'ABORTED');
    await connects('through the second relay');
    const { streams, opened, replaced } = await first.plane.ask({ ask: 'tunnels' });
    assert.deepEqual([streams, opened, replaced], [1, 2, 1]);
    const isUp = async (): Promise<boolean> => {
      const { status } = await first.plane.ask({ ask: 'binding', name: TUNNELLED });
      return (status as { link?: string } | undefined)?.link === 'up';
    };
    await until('its status', isUp);
    await first.plane.ask({ ask: 'save' });

    await first.plane.kill();
    const second = await startPlane(first.port);
    await connects('after a restart of the plane');
    await second.plane.kill();
    killIfThere(Number(readFileSync(join(wg, 'siderolink.pid'), 'utf8')));
    const third = await startPlane(first.port);
    await connects('after a restart of plane and WireGuard');
    killIfThere(Number(readFileSync(join(wg, 'siderolink.pid'), 'utf8')));
    await connects('after the loss of WireGuard');

    await third.plane.ask({ ask: 'delete', name: TUNNELLED });
    await until('the end of the tunnel', async () => (await third.plane.ask({ ask: 'tunnels' }))['streams'] === 0);
    assert.equal((await machine.ask({ ...dial, deadlineMs: 0 }))['result'], 'timeout');
    assert.equal(await third.plane.ask({ ask: 'stop' }), 'stopped');
  });
});
