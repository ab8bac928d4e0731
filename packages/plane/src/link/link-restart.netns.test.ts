import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { killIfThere, type LabProcess, makeLinkLab, whyNoLinkLab } from './testing/link-lab.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const SINK = 4002;
/** Without a call of the server, a machine notices after 15 s at the earliest. */
const CALLED_MS = 10_000;

describe('a plane that is killed', { skip: whyNoLinkLab(), timeout: 120_000 }, () => {
  const lab = makeLinkLab();
  after(() => lab.end());
  const wg = join(lab.dir, 'plane');
  const killWireguard = (): void => killIfThere(Number(readFileSync(join(wg, 'siderolink.pid'), 'utf8')));
  const startPlane = async (): Promise<{ plane: LabProcess; hello: Record<string, unknown> }> => {
    const plane = lab.start(lab.plane, 'plane-end.ts', wg, lab.host, A);
    const hello = await plane.ask();
    assert.equal((hello['status'] as Record<string, unknown>)['state'], 'up', JSON.stringify(hello));
    return { plane, hello };
  };
  it('is linked with its machines again, without their asking, whether wireguard-go outlived it or not', async (t) => {
    const first = await startPlane();
    const machine = lab.start(
      lab.addMachine(),
      'machine-node.ts',
      join(lab.dir, 'a'),
      lab.host,
      String(first.hello['port']),
      A,
    );
    const { server, address } = await machine.ask();
    const dial = { ask: 'dial', to: server, port: SINK, timeoutMs: 1_000, deadlineMs: CALLED_MS };
    const connects = async (when: string): Promise<void> => {
      const { result, tookMs } = await machine.ask(dial);
      t.diagnostic(`${when}: linked again in ${tookMs} ms`);
      assert.equal(result, 'connected', when);
    };
    await connects('the first time');
    const status = async ({ plane }: typeof first): Promise<Record<string, unknown>> =>
      ((await plane.ask({ ask: 'binding', name: A }))['status'] ?? {}) as Record<string, unknown>;
    await until('the endpoint in the status', async () => (await status(first))['linkEndpoint'] !== undefined);
    assert.match(String((await status(first))['linkEndpoint']), /^10\.99\.0\.2:\d+$/);
    await first.plane.ask({ ask: 'save' });

    await first.plane.kill();
    const second = await startPlane();
    await connects('with wireguard-go alive');

    killWireguard();
    await until('the new device', async () => {
      const [peer] = (await second.plane.ask({ ask: 'peers' })) as unknown as { state: string }[];
      return (await second.plane.ask({ ask: 'status' }))['state'] === 'up' && peer?.state === 'up';
    });
    await connects('after the loss of an adopted wireguard-go');
    killWireguard();
    await connects('after the loss of its own wireguard-go');

    await second.plane.kill();
    killWireguard();
    const third = await startPlane();
    await connects('after a restart of the host');
    const { spec } = (await third.plane.ask({ ask: 'binding', name: A })) as {
      spec: { siderolink: { address: string } };
    };
    assert.equal(spec.siderolink.address, `${address}/64`);

    await third.plane.ask({ ask: 'delete', name: A });
    const isSilent = async (): Promise<boolean> =>
      (await machine.ask({ ...dial, deadlineMs: 0 }))['result'] === 'timeout';
    await until('the end of the peer', isSilent);
    assert.deepEqual(await third.plane.ask({ ask: 'peers' }), []);
    assert.equal(await third.plane.ask({ ask: 'stop' }), 'stopped');
    assert.doesNotMatch(lab.run(lab.plane, 'ip', 'link', 'show'), /siderolink/, 'the interface goes with the plane');
  });

  it('leaves a link of others alone and takes the next name', async () => {
    lab.run(lab.plane, 'ip', 'tuntap', 'add', 'siderolink', 'mode', 'tun');
    const { plane, hello } = await startPlane();
    assert.equal((hello['status'] as Record<string, unknown>)['interfaceName'], 'siderolink1');
    assert.match(lab.run(lab.plane, 'nft', 'list', 'ruleset'), /table inet bloomery_siderolink1/);
    await plane.ask({ ask: 'stop' });
    assert.match(lab.run(lab.plane, 'ip', 'link', 'show'), / siderolink: /);
    assert.doesNotMatch(lab.run(lab.plane, 'nft', 'list', 'ruleset'), /bloomery/);
  });

  it('makes its device as soon as that is possible', async () => {
    const script = `const s = require('dgram').createSocket('udp4'); s.bind(51821, () => console.log('{}'))`;
    const squatter = lab.startNode(lab.plane, script);
    await squatter.ask();
    const plane = lab.start(lab.plane, 'plane-end.ts', join(lab.dir, 'late'), lab.host, A);
    assert.deepEqual((await plane.ask())['status'], {
      state: 'down',
      reason: 'listening on UDP port 51821: wireguard-go refused the request: address already in use',
    });
    assert.doesNotMatch(lab.run(lab.plane, 'ip', 'link', 'show'), /siderolink1/, 'nothing is left behind');
    await squatter.kill();
    await until('the device', async () => (await plane.ask({ ask: 'status' }))['state'] === 'up');
    await plane.ask({ ask: 'stop' });
  });
});
