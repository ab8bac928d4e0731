import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LabelSelector } from './label-selector.ts';
import { compileLabelSelector, labelSelectorText } from './label-selector.ts';

const labels = { zone: 'east', gpu: '' };
const expression = (operator: string, key: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
});

const matching: [name: string, selector: LabelSelector | undefined, want: boolean][] = [
  ['nothing asked matches all', undefined, true],
  ['all pairs must match', { matchLabels: { zone: 'east', gpu: '' } }, true],
  ['one wrong pair is no match', { matchLabels: { zone: 'east', gpu: 'yes' } }, false],
  ['In takes any of its values', expression('In', 'zone', 'west', 'east'), true],
  ['NotIn also takes those without the label', expression('NotIn', 'rack', 'r1'), true],
  ['Exists is content with an empty value', expression('Exists', 'gpu'), true],
  ['DoesNotExist refuses a label that is there', expression('DoesNotExist', 'gpu'), false],
  ['a label named like a member of every object is not there', expression('Exists', 'constructor'), false],
];
describe('a label selector', () => {
  for (const [name, selector, want] of matching) {
    it(name, () => {
      const compiled = compileLabelSelector(selector);
      assert.ok(compiled.ok);
      assert.equal(compiled.matches(labels), want);
    });
  }

  const broken: [name: string, selector: LabelSelector, want: RegExp][] = [
    ['an operator in lower case', expression('in', 'a', 'b'), /"in" is not a valid label selector operator/],
    ['In without values', expression('In', 'a'), /values set can't be empty/],
    ['Exists with values', expression('Exists', 'a', 'b'), /values set must be empty/],
    ['a key with two slashes', expression('Exists', 'a/b/c'), /key: Invalid value/],
    ['a value with a blank', { matchLabels: { a: 'b c' } }, /values\[0\]\[a\]: Invalid value: "b c"/],
  ];
  for (const [name, selector, want] of broken) {
    it(`${name} is a problem`, () => {
      const compiled = compileLabelSelector(selector);
      assert.ok(!compiled.ok);
      assert.match(compiled.problem, want);
    });
  }

  it('is written in one line', () => {
    const selector: LabelSelector = {
      matchLabels: { b: '2', a: '1' },
      matchExpressions: [
        { key: 'zone', operator: 'In', values: ['x', 'y'] },
        { key: 'gpu', operator: 'DoesNotExist' },
      ],
    };
    assert.equal(labelSelectorText(selector), 'a=1,b=2,zone in (x,y),!gpu');
  });
});
