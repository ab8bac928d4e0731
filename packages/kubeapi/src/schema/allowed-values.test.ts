import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from '@bloomery/model';
import { invalidObject } from '../pipeline/api-status.ts';
import { isAllowed } from './allowed-values.ts';
import { validate } from './validate.ts';

describe('values of an enum', () => {
  it('are equal as JSON values are', () => {
    const allowed = ['1', 2, 3n, null, { a: [1] }, '__proto__'];
    for (const value of ['1', 2, 2n, 3, null, { a: [1] }, '__proto__']) assert.ok(isAllowed(allowed, value));
    for (const value of [1, '2', true, { a: [2] }, 'constructor', 'null']) assert.ok(!isAllowed(allowed, value));
  });

  it('a long list is judged by a long enum, and the refusal has a bounded length', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => `value-${i}`);
    const schema: Schema = { type: 'array', items: { type: 'string', enum: values } };
    assert.deepEqual(
      validate(
        schema,
        Array.from({ length: 60_000 }, () => 'value-19999'),
        'spec.l',
      ),
      [],
    );
    // With a text of its own for each problem this fills the memory.
    const problems = validate(
      schema,
      Array.from({ length: 150_000 }, () => 'nope'),
      'spec.l',
    );
    assert.equal(problems.length, 150_000);
    const { facts, message } = invalidObject({ group: '', kind: 'Thing' }, 'x', problems);
    assert.ok(message.length < 2 * 1024 * 1024);
    assert.match(message, /14\d{4} more problems/);
    assert.ok(JSON.stringify(facts).length < 2 * 1024 * 1024);
  });
});
