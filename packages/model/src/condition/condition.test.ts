import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Condition } from '../object.ts';
import { conditionOf, dropCondition, isConditionTrue, markTrue, setCondition } from './condition.ts';
import { setMetaCondition } from './meta-condition.ts';

const T0 = Date.UTC(2024, 0, 1);
const wiping: Condition = {
  type: 'PowerCycle',
  status: 'False',
  severity: 'Info',
  reason: 'InProgress',
  message: 'm',
  lastTransitionTime: '2023-01-01T00:00:00Z',
};

describe('conditions as Cluster API sets them', () => {
  it('the same condition again returns the same list', () => {
    const list = [wiping];
    const { lastTransitionTime: _time, ...draft } = wiping;
    assert.equal(setCondition(list, draft, T0), list);
  });
  it('another message moves the time', () => {
    const [c] = setCondition(
      [wiping],
      { type: 'PowerCycle', status: 'False', severity: 'Info', reason: 'InProgress', message: 'n' },
      T0,
    );
    assert.deepEqual(c, { ...wiping, message: 'n', lastTransitionTime: '2024-01-01T00:00:00Z' });
  });
  it('True clears severity, reason and message', () => {
    assert.deepEqual(markTrue([wiping], 'PowerCycle', T0), [
      { type: 'PowerCycle', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' },
    ]);
  });
  it('an empty reason and message are left out', () => {
    const [c] = setCondition(undefined, { type: 'A', status: 'False', reason: '', message: '' }, T0);
    assert.deepEqual(c, { type: 'A', status: 'False', lastTransitionTime: '2024-01-01T00:00:00Z' });
  });
  it('Ready stands first, the others by type', () => {
    const list = ['B', 'Ready', 'A'].reduce<readonly Condition[]>((l, type) => markTrue(l, type, T0), []);
    assert.deepEqual(
      list.map((c) => c.type),
      ['Ready', 'A', 'B'],
    );
  });
  it('taking away what is not there returns the same list', () => {
    const list = [wiping];
    assert.equal(dropCondition(list, 'PXEBooted'), list);
    assert.deepEqual(dropCondition(list, 'PowerCycle'), []);
  });
  it('is asked by type', () => {
    assert.equal(conditionOf([wiping], 'PowerCycle'), wiping);
    assert.equal(isConditionTrue([wiping], 'PowerCycle'), false);
    assert.equal(isConditionTrue(undefined, 'PowerCycle'), false);
  });
});

describe('metav1 conditions', () => {
  it('keep their time while the status stays', () => {
    const first = setMetaCondition(undefined, { type: 'A', status: 'False', reason: 'X', message: '' }, 0);
    const second = setMetaCondition(first, { type: 'A', status: 'False', reason: 'Y', message: '' }, T0);
    assert.equal(second[0]?.lastTransitionTime, '1970-01-01T00:00:00Z');
    assert.equal(setMetaCondition(second, { type: 'A', status: 'False', reason: 'Y', message: '' }, T0 + 1), second);
    assert.equal(
      setMetaCondition(second, { type: 'A', status: 'True', reason: 'Y', message: '' }, T0)[0]?.lastTransitionTime,
      '2024-01-01T00:00:00Z',
    );
  });
});
