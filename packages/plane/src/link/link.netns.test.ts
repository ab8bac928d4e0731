import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { makeLinkLab, whyNoLinkLab } from './testing/link-lab.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';

describe('the link between network namespaces', { skip: whyNoLinkLab(), timeout: 90_000 }, () => {
  const lab = makeLinkLab();
  after(() => lab.end());

  it('carries the events of a machine from its first handshake on, and recovers from kill -9', async () => {
    const planeDir = join(lab.dir, 'plane');
    const first = lab.start(lab.plane, 'plane-end.ts', planeDir, lab.host, A, B);
    const askFirst = first.ask;
    const hello = await askFirst();
    const status = hello['status'] as Record<string, unknown>;
    assert.equal(status['state'], 'up', JSON.stringify(hello));
    assert.equal(status['interfaceName'], 'siderolink');

    const machine = lab.start(
      lab.addMachine(),
      'machine-end.ts',
      join(lab.dir, 'a'),
      `${lab.host}:${hello['port']}`,
      A,
    );
    const joined = await machine.ask();
    assert.equal(joined['serverAddress'], hello['serverAddress']);
    assert.equal(joined['refused'], 'INVALID_ARGUMENT');
    const binding = await askFirst({ ask: 'binding', name: A });
    const spec = binding['spec'] as Record<string, unknown>;
    assert.deepEqual(spec['addresses'], ['172.25.0.5']);
    assert.equal(spec['hostname'], 'pxe-2');
    assert.equal((spec['siderolink'] as Record<string, unknown>)['address'], joined['nodeAddress']);
    const conditions = (binding['status'] as { conditions: { type: string; status: string }[] }).conditions;
    assert.deepEqual(
      conditions.filter((c) => c.type.startsWith('Talos')).map((c) => [c.type, c.status]),
      [
        ['TalosConfigLoaded', 'True'],
        ['TalosConfigValidated', 'True'],
        ['TalosInstalled', 'True'],
      ],
    );
    const marks = (await askFirst({ ask: 'timeline' })) as unknown as readonly string[];
    assert.deepEqual(marks.slice(0, 3), ['LinkProvisioned', 'AddressesReported', 'BootStarted']);

    const rules = lab.run(lab.plane, 'nft', 'list', 'ruleset');
    assert.match(rules, /table inet bloomery_siderolink \{[\s\S]*tcp dport \{ 4001-?,? ?4002 \} accept\s+drop/);
    await first.kill();
    const { ask: askSecond } = lab.start(lab.plane, 'plane-end.ts', planeDir, lab.host, A, B);
    const again = await askSecond();
    assert.equal(
      (again['status'] as Record<string, unknown>)['interfaceName'],
      'siderolink',
      'the device is taken over',
    );
    const other = lab.start(lab.addMachine(), 'machine-end.ts', join(lab.dir, 'b'), `${lab.host}:${again['port']}`, B);
    assert.equal((await other.ask())['serverAddress'], again['serverAddress']);
    assert.equal(await askSecond({ ask: 'stop' }), 'stopped');
    assert.doesNotMatch(lab.run(lab.plane, 'ip', 'link', 'show'), /siderolink/, 'the interface goes with the plane');
  });
});
