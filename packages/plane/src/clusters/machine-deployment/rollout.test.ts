import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { onDeleteSizes, type RolloutLimits, rollSizes } from './roll.ts';
import { scaleSizes } from './scale-sizes.ts';
import { availableAt, type SetSize, sum } from './set-size.ts';

const limits = (replicas: number, maxSurge: number, maxUnavailable: number): RolloutLimits => ({
  replicas,
  maxSurge,
  maxUnavailable,
});
/** A set of this size; `a` an available Machine, `-` one that is not, in the order in which they go; `going` more are leaving. */
const set = (
  name: string,
  replicas: number,
  staying: string,
  more: Partial<SetSize> & { going?: number } = {},
): SetSize => {
  const { going = 0, ...rest } = more;
  return {
    name,
    isNew: name === 'new',
    replicas,
    machines: staying.length + going,
    staying: [...staying].map((c) => c === 'a'),
    maxReplicas: undefined,
    ...rest,
  };
};
const text = (sizes: ReadonlyMap<string, number>): string => [...sizes].map(([n, size]) => `${n} ${size}`).join(', ');

describe('a rolling update', () => {
  const cases: [what: string, sets: SetSize[], limits: RolloutLimits, want: string][] = [
    ['begins with the surge', [set('old', 3, 'aaa'), set('new', 0, '')], limits(3, 1, 0), 'old 3, new 1'],
    [
      'waits for the surge to be available',
      [set('old', 3, 'aaa'), set('new', 1, '-')],
      limits(3, 1, 0),
      'old 3, new 1',
    ],
    [
      'takes one old Machine for each new one',
      [set('old', 3, 'aaa'), set('new', 1, 'a')],
      limits(3, 1, 0),
      'old 2, new 1',
    ],
    [
      'counts Machines that are leaving until they are gone',
      [set('old', 2, 'aa', { going: 1 }), set('new', 1, 'a')],
      limits(3, 1, 0),
      'old 2, new 1',
    ],
    ['goes on when they are gone', [set('old', 2, 'aa'), set('new', 1, 'a')], limits(3, 1, 0), 'old 2, new 2'],
    ['ends', [set('old', 1, 'a'), set('new', 3, 'aaa')], limits(3, 1, 0), 'old 0, new 3'],
    [
      'without surge takes an old Machine first',
      [set('old', 3, 'aaa'), set('new', 0, '')],
      limits(3, 0, 1),
      'old 2, new 0',
    ],
    ['without surge fills the gap', [set('old', 2, 'aa'), set('new', 0, '')], limits(3, 0, 1), 'old 2, new 1'],
    [
      'takes Machines that are not available first',
      [set('old', 3, '--a'), set('new', 1, 'a')],
      limits(3, 1, 0),
      'old 2, new 1',
    ],
    [
      'takes nothing while new Machines do not come up',
      [set('old', 3, '-aa'), set('new', 1, '-')],
      limits(3, 1, 0),
      'old 3, new 1',
    ],
    [
      'empties the oldest first',
      [set('older', 1, 'a'), set('old', 2, 'aa'), set('new', 1, 'a')],
      limits(3, 1, 0),
      'older 0, old 2, new 1',
    ],
    [
      'shrinks the new set when there are fewer to be',
      [set('old', 0, ''), set('new', 3, 'aaa')],
      limits(1, 1, 0),
      'old 0, new 1',
    ],
    ['to nothing takes all', [set('old', 2, 'aa'), set('new', 1, '-')], limits(0, 1, 0), 'old 0, new 0'],
  ];
  for (const [what, sets, l, want] of cases) it(what, () => assert.equal(text(rollSizes(sets, l)), want));
});

describe('the strategy OnDelete', () => {
  const cases: [what: string, sets: SetSize[], replicas: number, want: string][] = [
    ['replaces nothing by itself', [set('old', 3, 'aaa'), set('new', 0, '')], 3, 'old 3, new 0'],
    [
      'does not fill the place while the Machine is leaving',
      [set('old', 3, 'aa', { going: 1 }), set('new', 0, '')],
      3,
      'old 2, new 0',
    ],
    ['fills the place of a deleted Machine', [set('old', 2, 'aa'), set('new', 0, '')], 3, 'old 2, new 1'],
    ['scales up with the new template', [set('old', 3, 'aaa'), set('new', 0, '')], 5, 'old 3, new 2'],
    ['scales the old ones down first', [set('old', 3, 'aaa'), set('new', 2, 'aa')], 3, 'old 1, new 2'],
  ];
  for (const [what, sets, replicas, want] of cases) {
    it(what, () => assert.equal(text(onDeleteSizes(sets, replicas)), want));
  }
});

describe('a change of the size', () => {
  const cases: [what: string, sets: SetSize[], limits: RolloutLimits, want: string][] = [
    ['goes to the only active set', [set('old', 0, ''), set('new', 3, 'aaa')], limits(5, 1, 0), 'old 0, new 5'],
    [
      'goes to the old set before a rollout began',
      [set('old', 3, 'aaa'), set('new', 0, '')],
      limits(5, 1, 0),
      'old 5, new 0',
    ],
    ['from nothing goes to the new set', [set('old', 0, ''), set('new', 0, '')], limits(2, 1, 0), 'old 0, new 2'],
    [
      'is shared out in proportion during a rollout',
      [set('old', 8, 'aaaaaaaa', { maxReplicas: 12 }), set('new', 4, '----', { maxReplicas: 12 })],
      limits(16, 2, 2),
      'old 12, new 6',
    ],
    [
      'down takes from all in proportion',
      [set('old', 8, 'aaaaaaaa', { maxReplicas: 12 }), set('new', 4, '----', { maxReplicas: 12 })],
      limits(5, 1, 2),
      'old 4, new 2',
    ],
    ['to nothing takes all', [set('old', 3, 'aaa'), set('new', 1, 'a')], limits(0, 1, 0), 'old 0, new 0'],
    [
      'ends a rollout whose new set is full',
      [set('old', 1, 'a'), set('new', 3, 'aaa')],
      limits(3, 1, 0),
      'old 0, new 3',
    ],
  ];
  for (const [what, sets, l, want] of cases) it(what, () => assert.equal(text(scaleSizes(sets, l)), want));
});

/** A world of sets whose Machines come up and go away when the test says so. */
interface Sim {
  readonly sets: {
    name: string;
    isNew: boolean;
    replicas: number;
    machines: ('up' | 'down' | 'going')[];
    max: number;
  }[];
  made: number;
}

const sizesOf = (sim: Sim): SetSize[] =>
  sim.sets.map(({ name, isNew, replicas, machines, max }) => {
    const staying = machines.filter((m) => m !== 'going').sort((a, b) => (a < b ? -1 : 1));
    return {
      name,
      isNew,
      replicas,
      machines: machines.length,
      staying: staying.map((m) => m === 'up'),
      maxReplicas: max,
    };
  });
const available = (sim: Sim): number => sum(sim.sets.map((s) => s.machines.filter((m) => m === 'up').length));
const total = (sim: Sim): number => sum(sim.sets.map((s) => Math.max(s.replicas, s.machines.length)));

/** Every set makes and deletes Machines to its size, as MachineSets do: what is going counts until it is gone. */
function obey(sim: Sim): void {
  for (const one of sim.sets) {
    while (one.machines.length < one.replicas) one.machines.push('down');
    let surplus = one.machines.length - one.replicas - one.machines.filter((m) => m === 'going').length;
    for (const state of ['down', 'up'] as const) {
      one.machines = one.machines.map((m) => (m === state && surplus-- > 0 ? 'going' : m));
    }
  }
}

function step(sim: Sim, l: RolloutLimits, isRescaled: boolean, applied: number): void {
  const sets = sizesOf(sim);
  const sizes = isRescaled ? scaleSizes(sets, l) : rollSizes(sets, l);
  const order = [...sim.sets.filter((s) => !s.isNew), ...sim.sets.filter((s) => s.isNew)];
  for (const one of order.slice(0, applied)) {
    one.replicas = sizes.get(one.name) ?? one.replicas;
    one.max = l.replicas + l.maxSurge;
  }
  obey(sim);
}

const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('up' as const), at: fc.nat(20) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('gone' as const), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('template' as const), at: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('killed' as const), at: fc.nat(2) }) },
);

function happen(sim: Sim, { kind, at }: { readonly kind: string; readonly at: number }): void {
  const all = sim.sets.flatMap((s) => s.machines.map((_, i) => [s, i] as const));
  const wanted = all.filter(([s, i]) => s.machines[i] === (kind === 'up' ? 'down' : 'going'));
  const [one, index] = wanted[at % Math.max(1, wanted.length)] ?? [];
  if (kind === 'template') {
    for (const s of sim.sets) s.isNew = false;
    sim.sets.push({ name: `set-${sim.made++}`, isNew: true, replicas: 0, machines: [], max: 0 });
  } else if (one === undefined || index === undefined) return;
  else if (kind === 'up') one.machines[index] = 'up';
  else if (kind === 'gone') one.machines.splice(index, 1);
}

const anyLimits = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.nat(3), fc.nat(3))
  .map(([replicas, surge, missing]) =>
    limits(replicas, surge, Math.min(replicas, surge === 0 ? Math.max(1, missing) : missing)),
  );

describe('whatever happens during a rollout', () => {
  it('there are never too many Machines nor too few available, and it ends with the new template', () => {
    fc.assert(
      fc.property(anyLimits, fc.array(event, { maxLength: 60 }), (l, events) => {
        const up = Array.from({ length: l.replicas }, () => 'up' as const);
        const sim: Sim = {
          sets: [
            { name: 'first', isNew: false, replicas: l.replicas, machines: [...up], max: l.replicas + l.maxSurge },
            { name: 'second', isNew: true, replicas: 0, machines: [], max: 0 },
          ],
          made: 0,
        };
        const check = (): void => {
          assert.ok(total(sim) <= l.replicas + l.maxSurge, `${total(sim)} machines: ${JSON.stringify(sim.sets)}`);
          assert.ok(
            available(sim) >= l.replicas - l.maxUnavailable,
            `${available(sim)} up: ${JSON.stringify(sim.sets)}`,
          );
        };
        for (const one of events) {
          if (one.kind === 'killed') step(sim, l, false, one.at);
          else happen(sim, one);
          check();
          step(sim, l, false, sim.sets.length);
          check();
        }
        for (let i = 0; i < 200; i++) {
          happen(sim, { kind: i % 2 === 0 ? 'up' : 'gone', at: 0 });
          step(sim, l, false, sim.sets.length);
          check();
        }
        const sizes = sim.sets.map(({ isNew, machines }) => (isNew ? machines.length : -machines.length));
        assert.deepEqual(
          sizes.filter((n) => n !== 0),
          [l.replicas],
        );
      }),
      { numRuns: 500 },
    );
  });

  it('a change of the size in between takes no available Machine that is still needed', () => {
    fc.assert(
      fc.property(anyLimits, fc.nat(8), fc.array(event, { maxLength: 30 }), (l, size, events) => {
        const sim: Sim = {
          sets: [
            {
              name: 'first',
              isNew: false,
              replicas: l.replicas,
              machines: Array.from({ length: l.replicas }, () => 'up' as const),
              max: l.replicas + l.maxSurge,
            },
            { name: 'second', isNew: true, replicas: 0, machines: [], max: 0 },
          ],
          made: 0,
        };
        for (const one of events) {
          if (one.kind !== 'killed') happen(sim, one);
          step(sim, l, false, sim.sets.length);
        }
        const next = limits(size, l.maxSurge, Math.min(size, l.maxUnavailable));
        const before = available(sim);
        step(sim, next, true, sim.sets.length);
        const needed = Math.min(before, next.replicas - next.maxUnavailable);
        assert.ok(available(sim) >= needed, `${before} to ${available(sim)} up: ${JSON.stringify([next, sim.sets])}`);
        assert.ok(sum(sim.sets.map((s) => s.replicas)) <= next.replicas + next.maxSurge);
      }),
      { numRuns: 500 },
    );
  });
});

it('what goes first is what is not available', () => {
  assert.deepEqual(
    [3, 2, 1, 0].map((size) => availableAt(set('old', 3, '-aa'), size)),
    [2, 2, 1, 0],
  );
});
