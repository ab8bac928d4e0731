import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Controller } from '@bloomery/cosi';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { LinkSpec } from '../resources/links.ts';
import { type ApplySpecs, applySpecs } from './apply-specs.ts';
import { createAttempts } from './attempts.ts';
import { createProblems } from './problems.ts';

const OWNER = 'test.ApplyController';

/** A controller that writes down what it is asked to do; specs of MTU 1 are refused, those of MTU 2 have to wait. */
function applying(options: Pick<Partial<ApplySpecs<LinkSpec>>, 'inTheWay'> = {}) {
  const problems = createProblems();
  const random = (length: number): Uint8Array => new Uint8Array(length);
  const attempts = createAttempts({ definition: LinkSpec, problems, random });
  /** In the order in which it was first done: what nobody destroys is taken away in each pass. */
  const done = new Set<string>();
  const say = (what: string, { name, mtu }: LinkSpec, staying: readonly LinkSpec[]): void => {
    done.add(`${what} ${name} of ${staying.map((other) => other.name).join()}`);
    if (mtu === 1) throw new Error('EBUSY');
  };
  const controller: Controller = {
    name: OWNER,
    inputs: [{ definition: LinkSpec, kind: 'strong' }],
    outputs: [],
    reconcile: (context) =>
      applySpecs(context, {
        ...{ definition: LinkSpec, attempts, problems },
        waitsFor: ({ mtu }) => (mtu === 2 ? 'waits' : undefined),
        bringAbout: (spec, staying) => say('make', spec, staying),
        takeAway: (spec, staying) => say('undo', spec, staying),
        ...options,
      }),
  };
  return { controller, problems, done };
}

/** One pass over specs all of which the controller holds; those whose names are given are going. */
async function pass(runtime: TestRuntime, specs: readonly LinkSpec[], leaving: readonly string[]): Promise<void> {
  const { state } = runtime;
  for (const spec of specs) {
    state.create(LinkSpec, spec.name, spec);
    state.addFinalizer(LinkSpec, spec.name, OWNER);
    if (leaving.includes(spec.name)) state.teardown(LinkSpec, spec.name);
  }
  await runtime.settled();
}

const spec = (name: string, mtu = 0): LinkSpec => LinkSpec.make({ name, mtu });
const left = (runtime: TestRuntime): readonly string[] =>
  runtime.state
    .list(LinkSpec)
    .map(({ metadata: { id, finalizers } }) => `${id} held by ${finalizers.join() || 'nobody'}`);

describe('specs that are applied', () => {
  it('are brought about before others are taken away, and those are let go of', async () => {
    const { controller, done } = applying();
    await using runtime = startTestRuntime([controller]);
    await pass(runtime, [spec('a'), spec('b'), spec('c')], ['a', 'b']);
    assert.deepEqual([...done], ['make c of c', 'undo a of c', 'undo b of c']);
    assert.deepEqual(left(runtime), ['a held by nobody', 'b held by nobody', `c held by ${OWNER}`]);
  });

  it('go first where they are in the way', async () => {
    const { controller, done } = applying({
      inTheWay: (leaving) => new Set(leaving.filter(({ name }) => name === 'b')),
    });
    await using runtime = startTestRuntime([controller]);
    await pass(runtime, [spec('a'), spec('b'), spec('c')], ['a', 'b']);
    assert.deepEqual([...done], ['undo b of c', 'make c of c', 'undo a of c']);
  });

  it('that are refused stop none of the others, and are held until they are gone', async () => {
    const { controller, problems, done } = applying();
    await using runtime = startTestRuntime([controller]);
    await pass(runtime, [spec('a', 1), spec('b', 1), spec('c'), spec('d')], ['a', 'c']);
    assert.deepEqual([...done], ['make b of b,d', 'make d of b,d', 'undo a of b,d', 'undo c of b,d']);
    assert.deepEqual([problems.of('a'), problems.of('b'), problems.of('c')], ['EBUSY', 'EBUSY', undefined]);
    assert.deepEqual(left(runtime), [
      `a held by ${OWNER}`,
      `b held by ${OWNER}`,
      'c held by nobody',
      `d held by ${OWNER}`,
    ]);
  });

  it('that have to wait are held and say so, and nothing is tried', async () => {
    const { controller, problems, done } = applying();
    await using runtime = startTestRuntime([controller]);
    await pass(runtime, [spec('a', 2)], []);
    assert.deepEqual([[...done], problems.of('a'), left(runtime)], [[], 'waits', [`a held by ${OWNER}`]]);
  });
});
