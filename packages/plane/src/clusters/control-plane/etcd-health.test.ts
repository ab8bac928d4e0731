import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EtcdMember } from '@bloomery/talos';
import fc from 'fast-check';
import { mayGo, memberOf, nameOfMember, readEtcd } from './etcd-health.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { answering, healthyMachines, memberOfEtcd, observedMachine, reportOfEtcd } from './testing/observed.ts';

const silent = (id: number): ControlPlaneMachine =>
  observedMachine(id, { talos: { state: 'silent', address: `10.0.0.${id}`, why: 'no answer' } });
const reporting = (id: number, members: readonly EtcdMember[]): ControlPlaneMachine =>
  observedMachine(id, { talos: answering(id, { etcd: reportOfEtcd(id, members), etcdWhy: '' }) });

describe('the membership of etcd', () => {
  it('is what healthy members say', () => {
    const etcd = readEtcd(healthyMachines(3));
    assert.deepEqual([etcd.isKnown, etcd.hasQuorum, etcd.text, etcd.problem], [true, true, '3/3', '']);
  });

  it('names the members that are not healthy and the machines they run on', () => {
    const [one, two] = healthyMachines(3);
    assert.ok(one && two);
    const etcd = readEtcd([one, two, silent(3)]);
    assert.deepEqual([etcd.text, etcd.problem, etcd.hasQuorum], ['2/3', 'not healthy: m3', true]);
    assert.equal(memberOf(etcd, 'm3')?.isHealthy, false);
  });

  it('is unknown when nobody healthy answers, and says what the first one says', () => {
    assert.equal(readEtcd([silent(1)]).problem, 'no healthy member of etcd answers (Machine m1: no answer)');
    assert.equal(readEtcd([]).problem, 'no healthy member of etcd answers');
  });

  it('is unknown while healthy members disagree', () => {
    const etcd = readEtcd([
      reporting(1, [memberOfEtcd(1), memberOfEtcd(2)]),
      reporting(2, [memberOfEtcd(1), memberOfEtcd(2), memberOfEtcd(3)]),
    ]);
    assert.equal(etcd.isKnown, false);
    assert.match(etcd.problem, /do not agree/);
  });

  it('is not taken from a member without a leader, one whose service is unhealthy, or one that is out', () => {
    const members = [memberOfEtcd(1)];
    const bad = [
      answering(1, { etcd: reportOfEtcd(1, members, { leader: 0n }) }),
      answering(1, {
        etcd: reportOfEtcd(1, members),
        services: [{ id: 'etcd', state: 'Running', healthy: false, message: '' }],
      }),
      answering(1, {
        etcd: reportOfEtcd(1, members),
        services: [{ id: 'etcd', state: 'Finished', healthy: undefined, message: '' }],
      }),
      answering(1, { etcd: reportOfEtcd(1, [memberOfEtcd(2)]) }),
    ];
    for (const talos of bad) assert.equal(readEtcd([observedMachine(1, { talos })]).isKnown, false);
  });

  it('knows the machine of a member by its own word, then by name in any case, then by address', () => {
    const members = [
      memberOfEtcd(1),
      memberOfEtcd(2, { hostname: 'M2.example.org' }),
      memberOfEtcd(3, { hostname: '' }),
    ];
    const etcd = readEtcd([reporting(1, members), silent(2), silent(3)]);
    assert.deepEqual(
      etcd.members.map((m) => m.machine),
      ['m1', 'm2', 'm3'],
    );
    const [, , third] = etcd.members;
    assert.equal(third && nameOfMember(third), 'https://10.0.0.3:2380 of Machine m3');
  });

  it('does not take the old member of a machine that is another member now for that machine', () => {
    const members = [memberOfEtcd(1), memberOfEtcd(9, { hostname: 'm1', peerUrls: ['https://10.0.0.1:2380'] })];
    assert.deepEqual(
      readEtcd([reporting(1, members)]).members.map((m) => m.machine),
      ['m1', undefined],
    );
  });
});

describe('whether a member may go', () => {
  const cases: [name: string, voters: number, healthy: number, victim: number, want: boolean][] = [
    ['one of three healthy ones may', 3, 3, 1, true],
    ['the dead one of three may', 3, 2, 3, true],
    ['a healthy one of three beside a dead one may not', 3, 2, 1, false],
    ['one of two healthy ones may', 2, 2, 1, true],
    ['the dead one of two may not: there is no quorum', 2, 1, 2, false],
    ['the last one may not', 1, 1, 1, false],
    ['a healthy one of five beside a dead one may', 5, 4, 1, true],
    ['a healthy one of five beside two dead ones may not', 5, 3, 1, false],
  ];
  for (const [name, voters, healthy, victim, want] of cases) {
    it(name, () => {
      const all = healthyMachines(voters);
      const etcd = readEtcd(all.map((m, i) => (i < healthy ? m : silent(i + 1))));
      const member = memberOf(etcd, `m${victim}`);
      assert.ok(member);
      assert.equal(mayGo(etcd, member).ok, want);
    });
  }

  it('a learner may while there is quorum: it has no vote', () => {
    const members = [memberOfEtcd(1), memberOfEtcd(2, { isLearner: true })];
    const etcd = readEtcd([reporting(1, members)]);
    const [voter, learner] = etcd.members;
    assert.ok(voter && learner);
    assert.equal(mayGo(etcd, learner).ok, true);
    const verdict = mayGo(etcd, voter);
    assert.deepEqual(verdict.ok === false && [verdict.isLast, verdict.why], [
      true,
      'it is the last voting member of etcd',
    ]);
  });

  it('never leaves less than a majority of healthy voters behind', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), fc.nat(8), (health, pick) => {
        const all = healthyMachines(health.length);
        const etcd = readEtcd(all.map((m, i) => (health[i] ? m : silent(i + 1))));
        const member = etcd.members[pick % health.length];
        if (member === undefined || !mayGo(etcd, member).ok) return;
        const rest = etcd.members.filter((m) => m !== member);
        assert.ok(rest.filter((m) => m.isHealthy).length > rest.length / 2);
      }),
    );
  });
});
