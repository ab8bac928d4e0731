import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { grpcStatusOf } from '@bloomery/grpc';
import fc from 'fast-check';
import { createFakeEtcd, type FakeEtcd, type FakeEtcdMachine } from './fake-etcd.ts';

function cluster(count: number): { readonly etcd: FakeEtcd; readonly machines: readonly FakeEtcdMachine[] } {
  const etcd = createFakeEtcd();
  const machines = Array.from({ length: count }, (_, i) => etcd.machine(`m${i}`, `10.0.0.${i + 1}`));
  machines[0]?.bootstrap();
  return { etcd, machines };
}

const names = (etcd: FakeEtcd): string =>
  etcd
    .members()
    .map(({ hostname }) => hostname)
    .join(' ');
const refusedWith = (status: string) => (error: unknown) => grpcStatusOf(error) === status;

describe('a simulated etcd', () => {
  it('has no members before it is bootstrapped, and all machines afterwards, also those that come later', () => {
    const etcd = createFakeEtcd();
    const first = etcd.machine('a', '10.0.0.1');
    assert.equal(first.hasData(), false);
    first.bootstrap();
    etcd.machine('b', '10.0.0.2');
    assert.equal(names(etcd), 'a b');
    assert.deepEqual(etcd.bootstraps, ['a']);
  });

  it('lets a member leave, which leadership survives, and does not take it back', () => {
    const { etcd, machines } = cluster(3);
    const leader = etcd.leader();
    machines[0]?.forfeit();
    assert.notEqual(etcd.leader(), leader);
    machines[0]?.leave();
    machines[0]?.stop();
    machines[0]?.start();
    assert.equal(names(etcd), 'm1 m2');
    assert.equal(machines[0]?.hasData(), false);
  });

  it('answers nothing that needs a majority without one', () => {
    const { etcd, machines } = cluster(3);
    machines[1]?.stop();
    assert.equal(etcd.hasQuorum(), true);
    machines[2]?.stop();
    assert.equal(etcd.leader(), undefined);
    const ask = () => machines[0]?.members({ queryLocal: true });
    assert.throws(ask, refusedWith('UNKNOWN'));
    assert.throws(() => machines[0]?.remove(0n), refusedWith('UNKNOWN'));
    assert.deepEqual(machines[0]?.status().errors, ['etcdserver: no leader']);
    machines[1]?.start();
    assert.equal(ask()?.length, 3);
  });

  it('refuses to remove a member when those that run would be no majority of the rest', () => {
    const { etcd, machines } = cluster(3);
    machines[2]?.stop();
    const running = etcd.members().find(({ hostname }) => hostname === 'm1');
    assert.throws(() => machines[0]?.remove(running?.id ?? 0n), refusedWith('UNKNOWN'));
    assert.ok(etcd.history.includes('refused remove m1'));
    const dead = etcd.members().find(({ hostname }) => hostname === 'm2');
    machines[0]?.remove(dead?.id ?? 0n);
    assert.equal(names(etcd), 'm0 m1');
    assert.throws(() => machines[0]?.remove(dead?.id ?? 0n), refusedWith('NOT_FOUND'));
  });

  it('keeps its last member, and the membership of machines that are gone', () => {
    const { etcd, machines } = cluster(2);
    machines[1]?.destroy();
    assert.equal(names(etcd), 'm0 m1');
    const one = cluster(1);
    assert.throws(() => one.machines[0]?.leave(), refusedWith('UNKNOWN'));
  });

  it('shows a second bootstrap on a machine that never joined, which tears a real cluster in two', () => {
    const { etcd, machines } = cluster(1);
    machines[0]?.stop();
    const late = etcd.machine('late', '10.0.0.9');
    late.bootstrap();
    assert.deepEqual(etcd.bootstraps, ['m0', 'late']);
  });

  it('never has a leader without a majority, whatever happens', () => {
    const step = fc.record({ who: fc.nat(4), what: fc.constantFrom('stop', 'start', 'leave', 'forfeit', 'destroy') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { etcd, machines } = cluster(5);
        for (const { who, what } of steps) {
          const machine = machines[who];
          try {
            if (what === 'stop') machine?.stop();
            else if (what === 'start') machine?.start();
            else if (what === 'leave') machine?.leave();
            else if (what === 'forfeit') machine?.forfeit();
            else machine?.destroy();
          } catch (error) {
            assert.notEqual(grpcStatusOf(error), 'INTERNAL');
          }
          assert.equal(etcd.leader() !== undefined, etcd.hasQuorum());
          assert.ok(etcd.members().length > 0);
        }
      }),
      { numRuns: 200 },
    );
  });
});
