import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { createKernelMarks } from './kernel-marks.ts';

const line = (msg: string, more: object = {}): string =>
  JSON.stringify({ clock: 5, facility: 'kern', msg, priority: 'err', seq: 7, ...more });

function setUp() {
  const clock = createFakeClock();
  const drafts: TimelineDraft[] = [];
  const marks = createKernelMarks({ clock, timeline: { record: (draft) => drafts.push(draft) } });
  return { clock, marks, drafts, texts: () => drafts.map(({ summary }) => summary) };
}

describe('kernel lines on the timeline', () => {
  it('are those in which the kernel says that something went wrong', () => {
    const { marks, drafts } = setUp();
    marks.see('a', line('nvme0n1: I/O error, dev nvme0n1, sector 12345\n more\n'));
    assert.deepEqual(drafts, [
      {
        source: 'kernel',
        about: { server: 'a' },
        stage: 'Kernel',
        severity: 'warning',
        event: 'KernelError',
        summary: 'kernel: nvme0n1: I/O error, dev nvme0n1, sector 12345',
        facts: { priority: 'err', seq: 7, clock: 5 },
      },
    ]);
    marks.see('b', line('Kernel panic - not syncing', { priority: 'emerg' }));
    assert.equal(drafts[1]?.severity, 'error');
  });

  const not: [name: string, line: string][] = [
    ['what programs wrote', line('token=secret', { facility: 'user' })],
    ['warnings', line('x', { priority: 'warning' })],
    ['information', line('x', { priority: 'info' })],
    ['priorities that are none', line('x', { priority: 'errr' })],
    ['priorities inside of messages', line('"priority":"err"', { priority: 'info' })],
    ['lines without message', '{"facility":"kern","priority":"err"}'],
    ['what is no JSON', '"priority":"err"'],
  ];
  for (const [name, text] of not) {
    it(`are not ${name}`, () => {
      const { marks, drafts } = setUp();
      marks.see('a', text);
      assert.deepEqual(drafts, []);
    });
  }

  it('are at most one a minute of each machine, and one an hour of each kind', async () => {
    const { marks, clock, texts } = setUp();
    marks.see('a', line('error 1'));
    marks.see('a', line('another'));
    marks.see('b', line('error 1'));
    await clock.advance(60_000);
    marks.see('a', line('error 2 at 0xff'));
    marks.see('a', line('error 3'));
    marks.see('a', line('another'));
    await clock.advance(3_600_000);
    marks.see('a', line('error 4'));
    assert.deepEqual(texts(), ['kernel: error 1', 'kernel: error 1', 'kernel: error 2 at 0xff', 'kernel: error 4']);
  });

  it('are short and plain', () => {
    const { marks, drafts, texts } = setUp();
    marks.see('a', line(`\u001b[2J\u202e${'x'.repeat(1000)}`, { seq: 'x'.repeat(100_000), clock: [[[]]] }));
    assert.equal(texts()[0], `kernel: [2J ${'x'.repeat(155)}`);
    assert.deepEqual(drafts[0]?.facts, { priority: 'err' });
  });

  it('do not grow with machines and kinds of messages', async () => {
    const { marks, clock, drafts } = setUp();
    for (let i = 0; i < 200; i++) {
      marks.see('a', line(`kind ${String.fromCodePoint(0x4e00 + i)}`));
      await clock.advance(60_000);
    }
    assert.equal(drafts.length, 200);
  });
});
