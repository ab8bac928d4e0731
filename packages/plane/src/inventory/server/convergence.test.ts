import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Server } from '@bloomery/model';
import { type Rack, startRack } from '../testing/simulated-plane.ts';

const accepted = { accepted: true, bmc: { endpoint: '10.0.0.9' } };
const isIdle = ({ status }: Server): boolean => status?.phase === 'Available' && status.power === 'off';
const count = (rack: Rack, what: string): number => rack.machine.history.filter((entry) => entry === what).length;

/** From acceptance to Available, to Running, to Available again. */
async function journey(rack: Rack): Promise<void> {
  await rack.until('available', isIdle);
  await rack.bind();
  await rack.until('running', ({ status }) => status?.phase === 'Running');
  await rack.release();
  await rack.until('available again', isIdle);
}

describe('a machine on its journey', () => {
  it('is wiped, allocated, released and wiped again, each once', async () => {
    await using rack = await startRack(accepted);
    await journey(rack);
    const steps = ['powerOn', 'boot agent', 'wipe', 'wiped', 'powerOff'];
    const again = ['powerOn', 'boot environment', 'powerCycle', 'boot agent', 'wipe', 'wiped', 'powerOff'];
    assert.deepEqual(rack.machine.history, [...steps, ...again]);
  });

  it('comes through when the plane dies at any call and is started again', { timeout: 120_000 }, async (t) => {
    await using whole = await startRack(accepted);
    await journey(whole);
    t.diagnostic(`${whole.steps} places to die at`);
    for (let killAt = 1; killAt <= whole.steps; killAt++) {
      await using rack = await startRack(accepted);
      rack.killAt = killAt;
      await journey(rack).catch((error) => assert.fail(`killed at ${killAt}: ${error}`));
      const story = `killed at ${killAt}: ${rack.machine.history.join(', ')}`;
      assert.deepEqual([count(rack, 'wipe'), count(rack, 'wiped')], [2, 2], story);
      assert.equal(count(rack, 'boot environment'), 1, story);
      assert.ok(count(rack, 'powerCycle') <= 1 && count(rack, 'powerOn') <= 3, story);
    }
  });
});
