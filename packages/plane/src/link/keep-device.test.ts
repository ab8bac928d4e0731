import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, type Logger, silentLog } from '@bloomery/ports';
import { type Keepable, keepDevice } from './keep-device.ts';

interface Made extends Keepable {
  readonly number: number;
  readonly lose: (reason: string) => void;
}

function setUp(failures: readonly boolean[] = []) {
  const clock = createFakeClock();
  const tries: number[] = [];
  const made: Made[] = [];
  const told: string[] = [];
  const note = (event: string, facts?: object) => void told.push(`${event} ${JSON.stringify(facts)}`);
  const log: Logger = { ...silentLog, warn: note, error: note };
  const bringUp = async (): Promise<Made> => {
    tries.push(clock.nowMs());
    if (failures[tries.length - 1] === true) throw new Error('no /dev/net/tun');
    const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
    const number = made.length;
    const one = { number, lost, lose, [Symbol.asyncDispose]: async () => void told.push(`disposed ${number}`) };
    made.push(one);
    return one;
  };
  const signals: AbortSignal[] = [];
  const keep = () =>
    keepDevice<Made>({
      bringUp,
      onUp: (_, signal) => signals.push(signal),
      onLost: async () => void told.push('detached'),
      clock,
      log,
      random: (length) => new Uint8Array(length).fill(255),
    });
  return { clock, tries, made, told, keep, signals };
}

describe('a device that is kept up', () => {
  it('is tried again with back-off until it can be made, which is said once', async () => {
    const { clock, tries, told, keep } = setUp([true, true, true, true]);
    const kept = await keep();
    assert.deepEqual(kept.current(), { running: undefined, reason: 'no /dev/net/tun' });
    await clock.advance(60_000);
    assert.deepEqual(tries, [0, 1_000, 3_000, 7_000, 15_000]);
    assert.deepEqual(told, ['link.unavailable {"reason":"no /dev/net/tun"}']);
    assert.equal(kept.current().running?.number, 0);
    await kept[Symbol.asyncDispose]();
  });

  it('is made again at once when it is lost, after what stood on it is gone', async () => {
    const { clock, tries, made, told, keep, signals } = setUp();
    await using kept = await keep();
    await clock.advance(100_000);
    made[0]?.lose('wireguard-go ended (SIGKILL)');
    await clock.advance(10);
    assert.equal(kept.current().running?.number, 1);
    assert.deepEqual(tries, [0, 100_000]);
    assert.deepEqual(told, ['link.lost {"reason":"wireguard-go ended (SIGKILL)"}', 'detached', 'disposed 0']);
    assert.deepEqual(
      signals.map((signal) => signal.aborted),
      [true, false],
    );
  });

  it('does not spin when it is lost each time as soon as it is up', async () => {
    const { clock, tries, made, keep } = setUp();
    await using _kept = await keep();
    for (let i = 0; i < 4; i++) {
      made.at(-1)?.lose('taken away');
      await clock.advance(10_000);
    }
    assert.deepEqual(tries, [0, 1_000, 12_000, 24_000, 38_000]);
  });

  it('is stopped while it waits for the next try, and while it runs', async () => {
    const waiting = setUp([true]);
    await (await waiting.keep())[Symbol.asyncDispose]();
    assert.equal(waiting.tries.length, 1);
    const running = setUp();
    await (await running.keep())[Symbol.asyncDispose]();
    assert.deepEqual(running.told, ['detached', 'disposed 0']);
    assert.equal(running.signals[0]?.aborted, true);
  });
});
