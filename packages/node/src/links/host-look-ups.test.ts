import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { createHostLookUps } from './host-look-ups.ts';

/** Look-ups whose answers the test gives, one after the other. */
function rig() {
  const clock = createFakeClock(1_000_000);
  const asked: string[] = [];
  const open: ((answer: readonly string[] | Error) => void)[] = [];
  const hosts = createHostLookUps((host) => {
    asked.push(host);
    return new Promise((resolve, reject) => {
      open.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
    });
  }, clock);
  let wakes = 0;
  hosts.listen(() => {
    wakes++;
  });
  const answer = async (given: readonly string[] | Error): Promise<void> => {
    open.shift()?.(given);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, hosts, asked, answer, wakes: () => wakes };
}

describe('hosts that are looked up beside the passes', () => {
  it('are asked for one after the other, each once at a time, and wake when they are known', async () => {
    const { hosts, asked, answer, wakes } = rig();
    for (const host of ['a', 'b', 'a', 'b'])
      assert.deepEqual(hosts.ask(host), { waiting: `looking up endpoint ${host}` });
    assert.deepEqual(asked, ['a']);
    await answer(['10.0.0.1']);
    assert.deepEqual(asked, ['a', 'b']);
    assert.deepEqual([hosts.ask('a'), wakes()], [{ addresses: ['10.0.0.1'] }, 1]);
    await answer(['10.0.0.2']);
    assert.deepEqual([hosts.ask('b'), wakes(), asked.length], [{ addresses: ['10.0.0.2'] }, 2, 2]);
  });

  it('are asked for again when what is known is a minute old, and are known meanwhile', async () => {
    const { clock, hosts, asked, answer, wakes } = rig();
    hosts.ask('a');
    await answer(['10.0.0.1']);
    await clock.advance(59_000);
    hosts.ask('a');
    assert.equal(asked.length, 1);
    await clock.advance(1_000);
    assert.deepEqual([hosts.ask('a'), asked.length], [{ addresses: ['10.0.0.1'] }, 2]);
    await answer(['10.0.0.1']);
    assert.equal(wakes(), 1, 'nothing new wakes nobody');
    await clock.advance(60_000);
    hosts.ask('a');
    await answer(['10.0.0.9']);
    assert.deepEqual([hosts.ask('a'), wakes()], [{ addresses: ['10.0.0.9'] }, 2]);
  });

  it('that cannot be told say why, and are asked for again at the next attempt', async () => {
    const { clock, hosts, asked, answer, wakes } = rig();
    hosts.ask('a');
    await answer(new Error('EAI_AGAIN'));
    assert.deepEqual(hosts.ask('a'), { problem: 'looking up endpoint a: EAI_AGAIN' });
    assert.equal(asked.length, 1);
    await clock.advance(500);
    hosts.ask('a');
    await answer([]);
    assert.deepEqual(hosts.ask('a'), { problem: 'looking up endpoint a: it has no address' });
    assert.deepEqual([asked.length, wakes()], [2, 2]);
  });

  it('that nobody asks for any more are forgotten', async () => {
    const { clock, hosts, answer } = rig();
    hosts.ask('a');
    await answer(['10.0.0.1']);
    await clock.advance(2 * 3_600_000);
    hosts.ask('b');
    assert.deepEqual(hosts.ask('a'), { waiting: 'looking up endpoint a' });
  });
});
