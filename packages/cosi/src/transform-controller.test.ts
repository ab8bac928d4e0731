import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dependencyGraph } from './dependency-graph.ts';
import { defineResource } from './resource-definition.ts';
import { uint } from './spec/field.ts';
import { startTestRuntime } from './testing/index.ts';
import { transformController } from './transform-controller.ts';

const Number_ = defineResource({ type: 'Numbers.test.dev', namespace: 'test', spec: { value: uint(1) } });
const Square = defineResource({ type: 'Squares.test.dev', namespace: 'test', spec: { value: uint(1) } });

const squares = transformController({
  name: 'test.SquareController',
  input: { definition: Number_ },
  output: { definition: Square },
  outputId: (id) => `${id}-squared`,
  map: ({ spec }) => (spec.value > 100 ? undefined : { value: spec.value ** 2 }),
});

describe('a transforming controller', () => {
  it('makes one output of each input and keeps it up to date', async () => {
    await using runtime = startTestRuntime([squares]);
    await runtime.put(Number_, 'a', { value: 3 });
    await runtime.put(Number_, 'b', { value: 4 });
    await runtime.put(Number_, 'a', { value: 5 });
    assert.deepEqual(runtime.specs(Square), { 'a-squared': { value: 25 }, 'b-squared': { value: 16 } });
  });

  it('makes none of what it skips, takes away what it made, and lets go of the input', async () => {
    await using runtime = startTestRuntime([squares]);
    await runtime.put(Number_, 'a', { value: 3 });
    assert.deepEqual(runtime.state.get(Number_, 'a')?.metadata.finalizers, ['test.SquareController']);
    await runtime.put(Number_, 'a', { value: 1000 });
    assert.deepEqual(runtime.specs(Square), {});
    assert.deepEqual(runtime.state.get(Number_, 'a')?.metadata.finalizers, []);
  });

  it('an input goes only after its output is gone', async () => {
    await using runtime = startTestRuntime([squares]);
    await runtime.put(Number_, 'a', { value: 3 });
    runtime.state.addFinalizer(Square, 'a-squared', 'test.Holder');
    assert.equal(runtime.state.teardown(Number_, 'a'), false);
    await runtime.settled();
    assert.deepEqual(runtime.state.get(Number_, 'a')?.metadata.finalizers, ['test.SquareController']);
    runtime.state.removeFinalizer(Square, 'a-squared', 'test.Holder');
    await runtime.settled();
    assert.equal(runtime.state.get(Square, 'a-squared'), undefined);
    assert.deepEqual(runtime.state.get(Number_, 'a')?.metadata.finalizers, []);
  });
});

describe('the graph of controllers', () => {
  it('says who reads and writes what', () => {
    assert.equal(
      dependencyGraph([squares]),
      [
        'digraph controllers {',
        '  rankdir=LR;',
        '  node [shape=note];',
        '  "test.SquareController" [shape=box];',
        '  "Numbers" -> "test.SquareController" [style=solid, label="strong"];',
        '  "test.SquareController" -> "Squares" [label="exclusive"];',
        '}',
        '',
      ].join('\n'),
    );
  });
});
