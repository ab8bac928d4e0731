import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { createLookAgain } from './look-again.ts';
import type { ControlPlanePlan } from './plan.ts';
import { planControlPlane } from './plan.ts';
import { healthyMachines, observed, observedMachine } from './testing/observed.ts';

const waiting = (message: string): ControlPlanePlan => ({
  ...planControlPlane(observed(healthyMachines(1))),
  wait: { reason: 'WaitingForEtcdMember', message },
});
const settled: ControlPlanePlan = { ...waiting(''), wait: undefined };

describe('looking at a control plane again', () => {
  it('is quick while something is awaited, slower as it goes on, and quick again for something else', async () => {
    const looks = createLookAgain({ clock: createFakeClock(), random: () => 0.5 });
    const times = [1, 2, 3, 4, 5, 6, 7, 8].map(() => looks.after('a', waiting('x')));
    assert.deepEqual(
      times.map((t) => Math.round(t ?? 0)),
      [500, 750, 1125, 1688, 2531, 3797, 5000, 5000],
    );
    assert.equal(looks.after('a', waiting('y')), 500);
    assert.equal(looks.after('b', waiting('y')), 500);
  });

  it('is rare when all is well, or when the same is awaited for ten minutes', async () => {
    const clock = createFakeClock();
    const looks = createLookAgain({ clock, random: () => 0.5 });
    assert.equal(looks.after('a', settled), 20_000);
    looks.after('a', waiting('x'));
    await clock.advance(601_000);
    assert.equal(looks.after('a', waiting('x')), 20_000);
  });

  it('is left to watches while no machine can be asked', () => {
    const looks = createLookAgain({ clock: createFakeClock(), random: () => 0.5 });
    assert.equal(looks.after('a', planControlPlane(observed([observedMachine(1)]))), undefined);
    const plan: ControlPlanePlan = {
      ...planControlPlane(observed([observedMachine(1)])),
      wait: { reason: 'EtcdQuorumLost', message: 'its infrastructure goes at 12:00' },
    };
    assert.equal(looks.after('a', plan), 20_000, 'but a deadline is kept');
  });
});
