import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseLoadAverage, parseMemory, parseSystemStat } from './system-figures.ts';

describe('figures of the system', () => {
  it('are the load', () => {
    assert.deepEqual(parseLoadAverage('0.52 1.04 12.5 2/345 6789\n'), { load1: 0.52, load5: 1.04, load15: 12.5 });
    assert.deepEqual(parseLoadAverage(''), { load1: 0, load5: 0, load15: 0 });
  });

  it('are the memory, by the keys of the Talos API', () => {
    assert.deepEqual(
      parseMemory('MemTotal:       24682796 kB\nActive(anon):  5 kB\nSUnreclaim: 7 kB\nHugePages_Total:       0\nx\n'),
      {
        memtotal: 24_682_796n,
        activeanon: 5n,
        sunreclaim: 7n,
        hugepagestotal: 0n,
      },
    );
  });

  it('are what processors did', () => {
    const stat = parseSystemStat(`cpu  100 200 300 400 500 600 700 800 900 1000
cpu0 100 200 300 400 500 600 700 800 900 1000
intr 9 1 2 0
ctxt 11
btime 1700000000
processes 22
procs_running 3
procs_blocked 1
softirq 55 1 2 3 4 5 6 7 8 9 10
`);
    const cpu = {
      user: 1,
      nice: 2,
      system: 3,
      idle: 4,
      iowait: 5,
      irq: 6,
      softIrq: 7,
      steal: 8,
      guest: 9,
      guestNice: 10,
    };
    assert.deepEqual(stat, {
      bootTime: 1_700_000_000n,
      cpuTotal: cpu,
      cpu: [cpu],
      irqTotal: 9n,
      irq: [1n, 2n, 0n],
      contextSwitches: 11n,
      processCreated: 22n,
      processRunning: 3n,
      processBlocked: 1n,
      softIrqTotal: 55n,
      softIrq: {
        hi: 1n,
        timer: 2n,
        netTx: 3n,
        netRx: 4n,
        block: 5n,
        blockIoPoll: 6n,
        tasklet: 7n,
        sched: 8n,
        hrtimer: 9n,
        rcu: 10n,
      },
    });
  });

  it('may be rubbish', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        parseLoadAverage(text);
        parseMemory(text);
        assert.equal(parseSystemStat(text).cpu.length >= 0, true);
      }),
    );
  });
});
