import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createServiceBoard, type ServiceReport } from './service-board.ts';

const waiting: ServiceReport = { state: 'WAITING', message: 'for bootstrap', isHealthy: undefined };
const running: ServiceReport = { state: 'RUNNING', message: 'up', isHealthy: true };

it('a service is told over the link when it changes, not when it only says something else', () => {
  const told: string[] = [];
  const service = (...report: readonly unknown[]): string => {
    told.push(report.join(' '));
    return '';
  };
  let now = 0;
  const board = createServiceBoard({ service }, () => now++);
  board.set('etcd', waiting);
  board.set('etcd', waiting);
  board.set('etcd', { ...waiting, message: 'for bootstrap, still' });
  board.set('etcd', running);
  assert.deepEqual(told, ['etcd WAITING for bootstrap ', 'etcd RUNNING up true']);
  const [entry] = board.list();
  assert.deepEqual(
    entry?.events.map(({ message, atMs }) => [message, atMs]),
    [
      ['for bootstrap', 0],
      ['for bootstrap, still', 1],
      ['up', 2],
    ],
  );
});

it('the oldest events of a service that comes and goes are forgotten', () => {
  const board = createServiceBoard({ service: () => '' }, () => 0);
  for (let i = 0; i < 100; i++) board.set('etcd', i % 2 === 0 ? waiting : running);
  assert.equal(board.list()[0]?.events.length, 20);
});
