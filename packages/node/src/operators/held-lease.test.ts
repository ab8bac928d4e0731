import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, type LogFields, silentLog } from '@bloomery/ports';
import { AddressSpec } from '../resources/index.ts';
import { HeldLease } from './held-lease.ts';
import { NO_OUTPUTS, type OperatorOutputs } from './operator.ts';
import { createLeaseMemory, type TestLeaseMemory } from './testing/lease-memory.ts';

const DAY_MS = 86_400_000;
const OUTPUTS: OperatorOutputs = { ...NO_OUTPUTS, addresses: [AddressSpec.make({ address: '10.0.0.5/24' })] };
const MESSAGE = Uint8Array.of(7);

function hold(memory: TestLeaseMemory = createLeaseMemory()) {
  const clock = createFakeClock(1_700_000_000_000);
  const said: (readonly [event: string, fields: LogFields | undefined])[] = [];
  let changes = 0;
  const say = (event: string, fields?: LogFields): void => void said.push([event, fields]);
  const log = { ...silentLog, info: say, warn: say };
  const held = new HeldLease('dhcp4', { clock, log, memory, changed: () => void changes++ });
  const take = (leaseMs: number): void => held.take({ outputs: OUTPUTS, leaseMs, message: MESSAGE, isRenewed: false });
  return { held, clock, memory, said, take, changes: () => changes };
}

const recallOf = (leaseMs: number) => () => ({ leaseMs });

describe('a lease that a client holds', () => {
  it('is had until its end, and not longer', async () => {
    const { held, clock, take, changes, memory, said } = hold();
    take(30 * DAY_MS);
    await clock.advance(30 * DAY_MS - 1);
    assert.deepEqual([held.outputs, changes()], [OUTPUTS, 1]);
    await clock.advance(1);
    assert.deepEqual([held.outputs, changes(), memory.stored], [NO_OUTPUTS, 2, undefined]);
    assert.deepEqual(said.at(-1), ['dhcp4.lost', { address: '10.0.0.5/24', reason: 'expired' }]);
  });

  it('for ever has no end, also after a restart', async () => {
    const { held, clock, take, memory } = hold();
    take(Number.POSITIVE_INFINITY);
    await clock.advance(4_000 * DAY_MS);
    assert.equal(held.outputs, OUTPUTS);
    const again = hold(memory);
    const remembered = again.held.recall(recallOf(Number.POSITIVE_INFINITY));
    assert.equal(remembered?.endsMs, Number.POSITIVE_INFINITY);
    again.held.resume(OUTPUTS, Number.POSITIVE_INFINITY);
    await again.clock.advance(4_000 * DAY_MS);
    assert.equal(again.held.outputs, OUTPUTS);
  });

  it('lasts from the last renewal on', async () => {
    const { held, clock, take } = hold();
    take(DAY_MS);
    await clock.advance(DAY_MS - 1);
    take(DAY_MS);
    await clock.advance(DAY_MS - 1);
    assert.equal(held.outputs, OUTPUTS);
  });

  it('is had for the rest of its time after a restart', async () => {
    const { take, memory, clock } = hold();
    take(DAY_MS);
    const again = hold(memory);
    await again.clock.advance(DAY_MS - 10);
    const { endsMs } = again.held.recall(recallOf(DAY_MS)) ?? assert.fail('nothing is remembered');
    assert.equal(endsMs, clock.nowMs() + DAY_MS);
    again.held.resume(OUTPUTS, endsMs);
    await again.clock.advance(9);
    assert.equal(again.held.outputs, OUTPUTS);
    await again.clock.advance(1);
    assert.equal(again.held.outputs, NO_OUTPUTS);
  });

  it('that ended while a server was asked is not had again', () => {
    const { held, clock, changes } = hold();
    held.resume(OUTPUTS, clock.nowMs());
    assert.deepEqual([held.outputs, changes()], [NO_OUTPUTS, 0]);
  });

  it('ends the trouble that was said, and says each trouble once', () => {
    const { held, take, changes } = hold();
    held.blame('nobody answers');
    held.blame('nobody answers');
    assert.deepEqual([held.problem, changes()], ['nobody answers', 1]);
    take(DAY_MS);
    assert.equal(held.problem, undefined);
  });

  it('is still remembered when the client stops, and its timer is gone', async () => {
    const { held, clock, take, memory, changes } = hold();
    take(DAY_MS);
    held.stop();
    await clock.advance(2 * DAY_MS);
    assert.deepEqual([memory.stored?.message, changes()], [MESSAGE, 1]);
  });
});
