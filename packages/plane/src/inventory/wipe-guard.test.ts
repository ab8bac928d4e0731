import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATIONS, type Server, type ServerBinding } from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { createWipeBudget, judgeWipe } from './wipe-guard.ts';

const HOUR = 3_600_000;
const time = (ms: number): string => new Date(ms).toISOString();

function machine(name: string, status: Server['status'] = {}, annotations: Record<string, string> = {}): Server {
  return {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name, annotations },
    spec: { accepted: true },
    status,
  };
}

const released = (name: string, atMs = 0): Server =>
  machine(name, { released: { time: time(atMs), binding: `b-${name}` } });

const binding: ServerBinding = {
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'ServerBinding',
  metadata: { name: 's' },
  spec: { metalMachineRef: { name: 'm' } },
};

describe('the wipe guard', () => {
  const marked = (name: string): Server => machine('s', {}, { [name]: '' });
  const cases: readonly [name: string, server: Server, bound: ServerBinding | undefined, want: string][] = [
    ['lets an accepted, free Server be wiped', machine('s'), undefined, 'ok'],
    ['refuses one that is not accepted', { ...machine('s'), spec: { accepted: false } }, undefined, 'WaitingForAccept'],
    ['refuses one in use', machine('s'), binding, 'Releasing'],
    ['refuses one whose binding vanished', marked(ANNOTATIONS.boundTo), undefined, 'BindingVanished'],
    ['refuses a protected one', marked(ANNOTATIONS.protect), undefined, 'Protected'],
    ['refuses a paused one', marked(ANNOTATIONS.pause), undefined, 'Paused'],
    ['refuses one paused for Cluster API', marked(ANNOTATIONS.capiPaused), undefined, 'Paused'],
    ['refuses one that is moved', marked(ANNOTATIONS.deleteForMove), undefined, 'Paused'],
    ['refuses the fourth wipe', machine('s', { wipe: { withoutAllocation: 3 } }), undefined, 'LoopDetected'],
    ['allows the third', machine('s', { wipe: { withoutAllocation: 2 } }), undefined, 'ok'],
    [
      'allows the fourth when somebody asks for it',
      machine('s', { wipe: { withoutAllocation: 3 } }, { [ANNOTATIONS.resetLoop]: '' }),
      undefined,
      'ok',
    ],
  ];
  for (const [name, server, bound, want] of cases) {
    it(name, () => {
      const verdict = judgeWipe(server, bound);
      assert.equal(verdict.ok ? 'ok' : verdict.reason, want);
    });
  }
});

describe('the wipe budget', () => {
  it('never limits first wipes', () => {
    const budget = createWipeBudget(createFakeClock(), () => [], 1);
    assert.ok(Array.from({ length: 100 }, (_, i) => budget.take(machine(`s${i}`))).every(Boolean));
  });

  it('lets 60 released Servers an hour through', async () => {
    const clock = createFakeClock();
    const budget = createWipeBudget(clock, () => []);
    const taken = Array.from({ length: 61 }, (_, i) => budget.take(released(`s${i}`)));
    assert.deepEqual([taken.filter(Boolean).length, taken.at(-1)], [60, false]);
    assert.equal(budget.has(released('s60')), false);
    await clock.advance(HOUR);
    assert.equal(budget.take(released('s60')), true);
  });

  it('counts a release once, however often its wipe is begun', () => {
    const budget = createWipeBudget(createFakeClock(), () => [], 2);
    assert.deepEqual(
      [1, 2, 3].map(() => budget.take(released('a'))),
      [true, true, true],
    );
    assert.equal(budget.take(released('b')), true);
    assert.equal(budget.take(released('c')), false);
    assert.equal(budget.take(released('a')), true);
  });

  it('remembers over a restart, and for an hour only', () => {
    const clock = createFakeClock(10 * HOUR);
    const asked = (name: string, atMs: number, releasedAtMs: number): Server => {
      const { status } = released(name, releasedAtMs);
      return machine(name, { ...status, wipe: { requestedAt: time(atMs) } });
    };
    const servers = [
      asked('now', 10 * HOUR - 1, 9 * HOUR),
      asked('long-ago', 8 * HOUR, 7 * HOUR),
      asked('wiped-before-its-release', 9.5 * HOUR, 9.9 * HOUR),
    ];
    const budget = createWipeBudget(clock, () => servers, 2);
    assert.deepEqual([budget.take(released('x')), budget.take(released('y'))], [true, false]);
  });
});
