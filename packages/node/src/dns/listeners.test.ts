import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, hostPort, type Listen, silentLog } from '@bloomery/ports';
import { Listeners } from './listeners.ts';

const listen = (last: number): Listen => ({ host: `127.0.0.${last}`, port: 53 });

/** Listeners over sockets that only remember what is done to them. */
function makeListeners() {
  const clock = createFakeClock();
  const done: string[] = [];
  const refused = new Set<string>();
  let told = 0;
  const listeners = new Listeners({
    clock,
    log: silentLog,
    bind: async (transport, wanted, hopLimit) => {
      const name = `${transport} ${hostPort(wanted)}`;
      if (refused.has(name)) throw new Error('refused');
      done.push(`bind ${name} ${hopLimit}`);
      return {
        address: wanted,
        setHopLimit: (limit) => done.push(`hops ${name} ${limit}`),
        [Symbol.asyncDispose]: async () => void done.push(`close ${name}`),
      };
    },
    explain: async (transport, wanted, error) => `${transport} ${hostPort(wanted)}: ${String(error)}`,
    changed: () => told++,
  });
  const taken = (): string[] => done.splice(0);
  return { clock, listeners, refused, taken, told: () => told };
}

describe('listeners as they are wanted', () => {
  it('are bound once each, and closed when they are not wanted any more', async () => {
    const { listeners, taken } = makeListeners();
    await listeners.configure([listen(1)], 1);
    assert.deepEqual(taken(), ['bind udp 127.0.0.1:53 1', 'bind tcp 127.0.0.1:53 1']);
    await listeners.configure([listen(1), listen(2)], 1);
    assert.deepEqual(taken(), ['bind udp 127.0.0.2:53 1', 'bind tcp 127.0.0.2:53 1']);
    await listeners.configure([listen(2)], 1);
    assert.deepEqual(taken(), ['close udp 127.0.0.1:53', 'close tcp 127.0.0.1:53']);
    await listeners[Symbol.asyncDispose]();
    assert.deepEqual(taken(), ['close udp 127.0.0.2:53', 'close tcp 127.0.0.2:53']);
  });
  it('get another hop limit without being bound anew', async () => {
    const { listeners, taken } = makeListeners();
    await listeners.configure([listen(1)], 1);
    taken();
    await listeners.configure([listen(1)], 2);
    assert.deepEqual(taken(), ['hops udp 127.0.0.1:53 2', 'hops tcp 127.0.0.1:53 2']);
    await listeners.configure([listen(1), listen(2)], 2);
    assert.deepEqual(taken(), ['bind udp 127.0.0.2:53 2', 'bind tcp 127.0.0.2:53 2']);
  });
  it('get another hop limit also when they are being bound', async () => {
    const { listeners, taken } = makeListeners();
    const first = listeners.configure([listen(1)], 1);
    await Promise.all([first, listeners.configure([listen(1)], 2)]);
    assert.deepEqual(taken().sort(), [
      'bind tcp 127.0.0.1:53 1',
      'bind udp 127.0.0.1:53 1',
      'hops tcp 127.0.0.1:53 2',
      'hops udp 127.0.0.1:53 2',
    ]);
  });
  it('that cannot be bound are tried again, less and less often, and do not hold up the others', async () => {
    const { clock, listeners, refused, taken, told } = makeListeners();
    refused.add('udp 127.0.0.1:53');
    await listeners.configure([listen(1)], 1);
    assert.deepEqual(taken(), ['bind tcp 127.0.0.1:53 1']);
    assert.deepEqual(
      listeners.status.map(({ transport, bound, problem }) => [transport, bound !== undefined, problem]),
      [
        ['udp', false, 'udp 127.0.0.1:53: Error: refused'],
        ['tcp', true, undefined],
      ],
    );
    const before = told();
    await clock.advance(3_600_000);
    assert.equal(told(), before, 'the same again is not told');
    refused.clear();
    await clock.advance(30_000);
    assert.deepEqual(taken(), ['bind udp 127.0.0.1:53 1']);
    assert.equal(told(), before + 1);
    assert.equal(listeners.status[0]?.problem, undefined);
  });
  it('that are not wanted any more are not tried again', async () => {
    const { clock, listeners, refused, taken } = makeListeners();
    refused.add('udp 127.0.0.1:53');
    await listeners.configure([listen(1)], 1);
    await listeners.configure([], 1);
    refused.clear();
    taken();
    await clock.advance(3_600_000);
    assert.deepEqual([taken(), listeners.status], [[], []]);
  });
  it('whose sockets are gone are bound anew', async () => {
    const { clock, listeners, taken } = makeListeners();
    await listeners.configure([listen(1)], 1);
    taken();
    listeners.rebind('udp');
    await clock.advance(0);
    assert.deepEqual(taken(), ['bind udp 127.0.0.1:53 1']);
  });
});
