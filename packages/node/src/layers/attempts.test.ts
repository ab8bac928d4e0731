import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Controller } from '@bloomery/cosi';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { type Logger, silentLog } from '@bloomery/ports';
import { LinkSpec } from '../resources/links.ts';
import { type Attempts, createAttempts } from './attempts.ts';
import { createProblems } from './problems.ts';

const spec = (name: string, mtu = 0): LinkSpec => LinkSpec.make({ name, mtu });

/** A controller that tries every spec, and what it did. */
function trying(act: (spec: LinkSpec) => string | undefined) {
  const problems = createProblems();
  const attempts: Attempts<LinkSpec> = createAttempts({
    definition: LinkSpec,
    problems,
    random: (length) => new Uint8Array(length),
  });
  const tried: string[] = [];
  const controller: Controller = {
    name: 'test.TryController',
    inputs: [{ definition: LinkSpec, kind: 'strong' }],
    outputs: [],
    reconcile: async (context) => {
      for (const resource of context.list(LinkSpec)) {
        await attempts.run(context, resource, () => {
          tried.push(resource.metadata.id);
          return act(resource.spec);
        });
      }
    },
  };
  return { controller, problems, tried, attempts };
}

function refuse(what: string): never {
  throw new Error(what);
}

describe('attempts', () => {
  it('of one that is refused do not stop the others', async () => {
    const { controller, problems, tried } = trying(({ name }) => (name === 'a' ? refuse('EBUSY') : undefined));
    await using runtime = startTestRuntime([controller]);
    await runtime.put(LinkSpec, 'a', spec('a'));
    await runtime.put(LinkSpec, 'b', spec('b'));
    assert.deepEqual(new Set(tried), new Set(['a', 'b']));
    assert.deepEqual([problems.of('a'), problems.of('b')], ['EBUSY', undefined]);
  });

  it('are repeated after a growing time, and not because other things change', async () => {
    const { controller, tried } = trying(({ name }) => (name === 'a' ? refuse('EBUSY') : undefined));
    await using runtime = startTestRuntime([controller]);
    await runtime.put(LinkSpec, 'a', spec('a'));
    const attemptsOfA = (): number => tried.filter((id) => id === 'a').length;
    assert.equal(attemptsOfA(), 1);
    for (const mtu of [1, 2, 3]) await runtime.put(LinkSpec, 'b', spec('b', mtu));
    assert.equal(attemptsOfA(), 1);
    // Half of 1 s, 2 s, 4 s with these random bytes.
    await runtime.advance(500);
    assert.equal(attemptsOfA(), 2);
    await runtime.advance(500);
    assert.equal(attemptsOfA(), 2);
    await runtime.advance(500);
    assert.equal(attemptsOfA(), 3);
    await runtime.advance(2_000);
    assert.equal(attemptsOfA(), 4);
  });

  it('begin anew with another spec', async () => {
    const { controller, problems, tried } = trying(({ mtu }) => (mtu === 0 ? refuse('EINVAL') : undefined));
    await using runtime = startTestRuntime([controller]);
    await runtime.put(LinkSpec, 'a', spec('a'));
    await runtime.put(LinkSpec, 'a', spec('a', 1400));
    assert.deepEqual(tried, ['a', 'a']);
    assert.equal(problems.of('a'), undefined);
  });

  it('are hastened when what they may need has changed', async () => {
    const { controller, tried, attempts } = trying(({ name }) => (name === 'a' ? refuse('ENODEV') : undefined));
    await using runtime = startTestRuntime([controller]);
    await runtime.put(LinkSpec, 'a', spec('a'));
    attempts.hasten();
    await runtime.put(LinkSpec, 'b', spec('b'));
    assert.deepEqual(tried, ['a', 'a', 'b']);
  });

  it('show what a spec waits for as its problem', async () => {
    const { controller, problems } = trying(({ mtu }) => (mtu === 0 ? 'waits for its master' : undefined));
    await using runtime = startTestRuntime([controller]);
    await runtime.put(LinkSpec, 'a', spec('a'));
    assert.equal(problems.of('a'), 'waits for its master');
    await runtime.put(LinkSpec, 'a', spec('a', 1));
    assert.equal(problems.of('a'), undefined);
  });

  it('warn of a problem once, and tell when it is over', async () => {
    const lines: string[] = [];
    const say =
      (level: string) =>
      (event: string): void =>
        void (level === 'debug' || lines.push(`${level} ${event}`));
    const log: Logger = { ...silentLog, warn: say('warn'), info: say('info'), with: () => log };
    let isRefusing = true;
    const { controller } = trying(() => (isRefusing ? refuse('EBUSY') : undefined));
    await using runtime = startTestRuntime([controller], { log });
    await runtime.put(LinkSpec, 'a', spec('a'));
    for (let i = 0; i < 5; i++) await runtime.advance(60_000);
    isRefusing = false;
    await runtime.advance(60_000);
    assert.deepEqual(
      lines.filter((line) => line.includes('spec.')),
      ['warn spec.refused', 'info spec.accepted'],
    );
  });
});
