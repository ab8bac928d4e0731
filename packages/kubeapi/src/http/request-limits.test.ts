import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createFakeClock, isBloomeryError } from '@bloomery/ports';
import { authenticated, type User } from '../auth/user.ts';
import { createRequestGate, type RequestGate, type RequestLimits } from './request-limits.ts';

const anna = authenticated('anna', []);
const bert = authenticated('bert', []);
const admin: User = { name: 'admin', groups: ['system:masters'] };
const LIMITS: RequestLimits = { readOnly: 4, mutating: 2, waiting: 4, waitMs: 5000, watches: 3, watchesPerUser: 2 };

function isTooMany(error: unknown): boolean {
  if (!isBloomeryError(error, 'BLM_API_UNAVAILABLE')) return false;
  const status = error.facts['status'];
  return typeof status === 'object' && status !== null && 'code' in status && status.code === 429;
}

describe('the gate of the API', () => {
  const gateOf = (clock = createFakeClock()): RequestGate => createRequestGate(clock, LIMITS);
  const entered = (gate: RequestGate, user: User): (() => void) => {
    const leave = gate.enter('readOnly', user);
    assert.ok(typeof leave === 'function', 'it has to wait');
    return leave;
  };

  it('lets requests in while there is room and makes others wait', async () => {
    const gate = gateOf();
    const leave = [entered(gate, anna), entered(gate, anna), entered(gate, anna)];
    entered(gate, bert);
    const waiting = gate.enter('readOnly', bert);
    assert.deepEqual(gate.load, {
      inFlight: { readOnly: 4, mutating: 0 },
      waiting: { readOnly: 1, mutating: 0 },
      watches: 0,
    });
    leave[0]?.();
    (await waiting)();
    assert.deepEqual(gate.load.inFlight.readOnly, 3);
  });

  it('keeps a place for others when one user takes all that it may', () => {
    const gate = gateOf();
    for (let i = 0; i < 3; i++) entered(gate, anna);
    assert.ok(gate.enter('readOnly', anna) instanceof Promise);
    entered(gate, bert);
  });

  it('counts writes apart from reads', () => {
    const gate = gateOf();
    for (let i = 0; i < 3; i++) entered(gate, anna);
    assert.equal(typeof gate.enter('mutating', anna), 'function');
  });

  it('serves waiting users in turn', async () => {
    const gate = gateOf();
    const leave = [entered(gate, anna), entered(gate, anna), entered(gate, bert), entered(gate, bert)];
    const order: string[] = [];
    const wait = (user: User, text: string) =>
      void Promise.resolve(gate.enter('readOnly', user)).then((done) => {
        order.push(text);
        leave.push(done);
      });
    wait(anna, 'anna 1');
    wait(anna, 'anna 2');
    wait(anna, 'anna 3');
    wait(bert, 'bert 1');
    for (let i = 0; i < 4; i++) {
      leave.shift()?.();
      await nextTurn();
    }
    assert.deepEqual(order, ['anna 1', 'bert 1', 'anna 2', 'anna 3']);
  });

  it('refuses with 429 when the queue is full, for one user before it is for all', () => {
    const gate = gateOf();
    for (let i = 0; i < 3; i++) entered(gate, anna);
    for (let i = 0; i < 3; i++) void gate.enter('readOnly', anna);
    assert.throws(() => gate.enter('readOnly', anna), isTooMany);
    entered(gate, bert);
    void gate.enter('readOnly', bert);
    assert.throws(() => gate.enter('readOnly', bert), isTooMany);
  });

  it('refuses with 429 who has waited too long, and forgets it', async () => {
    const clock = createFakeClock();
    const gate = gateOf(clock);
    const leave = [entered(gate, anna), entered(gate, anna), entered(gate, anna)];
    const waiting = assert.rejects(Promise.resolve(gate.enter('readOnly', anna)), isTooMany);
    await clock.advance(5000);
    await waiting;
    for (const done of leave) done();
    assert.deepEqual(gate.load, {
      inFlight: { readOnly: 0, mutating: 0 },
      waiting: { readOnly: 0, mutating: 0 },
      watches: 0,
    });
  });

  it('never keeps an administrator out, and takes no place for it', () => {
    const gate = gateOf();
    for (let i = 0; i < 100; i++) entered(gate, admin);
    assert.equal(gate.load.inFlight.readOnly, 100);
    entered(gate, anna);
  });

  it('bounds watches of one user and of all', () => {
    const gate = gateOf();
    const open = (user: User): void => {
      gate.checkWatches(user);
      gate.watchStarted(user);
    };
    open(anna);
    open(anna);
    assert.throws(() => open(anna), isTooMany);
    open(admin);
    assert.throws(() => open(bert), isTooMany);
    assert.throws(() => open(admin), isTooMany);
    gate.watchEnded(anna);
    open(bert);
    assert.equal(gate.load.watches, 3);
  });
});
