import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, Machine } from '@bloomery/model';
import { type DeletePolicy, deletePriority, machinesToDelete } from './delete-order.ts';

const NOW = Date.parse('2026-01-11T00:00:00Z');
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000).toISOString();
const machine = (name: string, days = 0, metadata: JsonObject = {}, status: JsonObject = {}): Machine =>
  ({
    metadata: { name, creationTimestamp: daysAgo(days), ...metadata },
    status: { nodeRef: { name }, ...status },
  }) as unknown as Machine;
const bad = (type: string, status = 'False') => ({ conditions: [{ type, status, lastTransitionTime: daysAgo(0) }] });

describe('how much a Machine is to go', () => {
  const cases: [what: string, machine: Machine, policy: DeletePolicy, priority: number][] = [
    ['most when it goes already', machine('a', 0, { deletionTimestamp: daysAgo(0) }), 'Random', 100],
    [
      'next when a user marked it',
      machine('a', 0, { annotations: { 'cluster.x-k8s.io/delete-machine': '' } }),
      'Oldest',
      75,
    ],
    ['then without a Node', machine('a', 0, {}, { nodeRef: {} }), 'Newest', 50],
    ['then when it failed', machine('a', 0, {}, { failureMessage: 'x' }), 'Random', 50],
    ['then when its Node is not healthy', machine('a', 0, {}, bad('NodeHealthy')), 'Random', 50],
    ['then when a health check failed', machine('a', 0, {}, bad('HealthCheckSucceeded')), 'Random', 50],
    ['what is unknown does not count', machine('a', 0, {}, bad('NodeHealthy', 'Unknown')), 'Random', 20],
    ['the same for all at random', machine('a', 9), 'Random', 20],
    ['the more the older', machine('a', 10), 'Oldest', 50 * (1 - Math.exp(-1))],
    ['the more the newer', machine('a', 10), 'Newest', 50 * Math.exp(-1)],
    ['nothing when it is the newest and the oldest go', machine('a', 0), 'Oldest', 0],
    ['nothing when the clocks differ', machine('a', -1), 'Oldest', 0],
  ];
  for (const [what, one, policy, priority] of cases) {
    it(what, () => assert.equal(deletePriority(one, policy, NOW), priority));
  }
});

describe('the Machines that go', () => {
  const all = [machine('b', 3), machine('c', 1), machine('a', 2)];
  const names = (count: number, policy: DeletePolicy) =>
    machinesToDelete(all, count, policy, NOW).map(({ metadata }) => metadata.name);
  it('are the oldest, the newest, or the first by name', () => {
    assert.deepEqual(names(2, 'Oldest'), ['b', 'a']);
    assert.deepEqual(names(2, 'Newest'), ['c', 'a']);
    assert.deepEqual(names(2, 'Random'), ['a', 'b']);
  });
  it('are never more than there are, nor fewer than none', () => {
    assert.deepEqual(names(9, 'Random'), ['a', 'b', 'c']);
    assert.deepEqual(names(-1, 'Random'), []);
  });
});
