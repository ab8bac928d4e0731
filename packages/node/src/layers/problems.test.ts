import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProblems, PROBLEM_ANNOTATION, problemAnnotations } from './problems.ts';

describe('problems', () => {
  it('wake who listens when they differ, and only then', () => {
    const problems = createProblems();
    let woken = 0;
    const end = problems.listen(() => void woken++);
    problems.set('a', undefined);
    problems.set('a', 'EBUSY');
    problems.set('a', 'EBUSY');
    problems.set('a', undefined);
    assert.equal(woken, 2);
    end();
    problems.set('a', 'EPERM');
    assert.equal(woken, 2);
    assert.equal(problems.of('a'), 'EPERM');
  });

  it('are an annotation', () => {
    assert.deepEqual(problemAnnotations('EBUSY'), { [PROBLEM_ANNOTATION]: 'EBUSY' });
    assert.deepEqual(problemAnnotations(undefined), {});
  });
});
