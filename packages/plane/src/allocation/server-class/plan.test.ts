import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Server, ServerClass } from '@bloomery/model';
import { classifyServers } from '@bloomery/model';
import fc from 'fast-check';
import { createMembershipIndex } from './membership-index.ts';
import { planAnyClass, planClassStatus } from './plan.ts';

const classOf = (name: string, spec: ServerClass['spec'] = {}, status?: ServerClass['status']): ServerClass => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'ServerClass',
  metadata: { name },
  spec,
  ...(status === undefined ? {} : { status }),
});
const serverOf = (name: string, spec: Partial<Server['spec']> = {}, status: Server['status'] = {}): Server => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name, labels: { zone: name.slice(0, 1) } },
  spec: { accepted: true, ...spec },
  status,
});

describe('status of a ServerClass', () => {
  it('counts free, clean and used members, lists sorted', () => {
    const members = new Map([
      ['b', 'clean'],
      ['a', 'dirty'],
      ['c', 'inUse'],
    ] as const);
    assert.deepEqual(planClassStatus(classOf('x'), { members, problem: undefined }), {
      serversAvailable: ['a', 'b'],
      serversInUse: ['c'],
      availableCount: 2,
      inUseCount: 1,
      totalCount: 3,
      cleanCount: 1,
      selector: '*',
    });
  });
  it('keeps its lists while the selector is broken', () => {
    const before = { serversAvailable: ['a'], serversInUse: ['b'], availableCount: 1 };
    const got = planClassStatus(classOf('x', {}, before), { members: new Map(), problem: 'broken' });
    assert.deepEqual(got, { ...before, selector: '*', problem: 'broken' });
  });
  it('says in one line what it asks for', () => {
    const spec = {
      selector: { matchLabels: { a: 'b' } },
      qualifiers: { hardware: [{}], labelSelectors: [{ c: 'd' }] },
    };
    const got = planClassStatus(classOf('x', spec), { members: new Map(), problem: undefined });
    assert.equal(got.selector, 'a=b; 1 hardware qualifier; any of c=d');
  });
});

describe('the class any', () => {
  it('gets empty qualifiers, other classes keep theirs', () => {
    const spec = { qualifiers: { hardware: [{ system: { family: 'x' } }] } };
    assert.deepEqual(planAnyClass(classOf('any', spec)), {
      spec: { qualifiers: { hardware: null, labelSelectors: null } },
    });
    assert.equal(planAnyClass(classOf('any', { qualifiers: {}, selector: { matchLabels: { a: 'b' } } })), undefined);
    assert.equal(planAnyClass(classOf('other', spec)), undefined);
  });
});

describe('the membership index', () => {
  it('names only the classes that a change of a Server concerns', () => {
    const index = createMembershipIndex();
    index.classChanged('all', {});
    index.classChanged('a', { selector: { matchLabels: { zone: 'a' } } });
    assert.deepEqual(index.serverChanged('b1', serverOf('b1')), ['all']);
    assert.deepEqual(index.serverChanged('a1', serverOf('a1')), ['all', 'a']);
    assert.deepEqual(index.serverChanged('a1', serverOf('a1', {}, { power: 'on' })), []);
    assert.deepEqual(index.serverChanged('a1', serverOf('a1', {}, { isClean: true })), ['all', 'a']);
    assert.deepEqual(index.serverChanged('a1', undefined), ['all', 'a']);
  });
  it('is always what a full evaluation gives (any order of changes)', () => {
    const specs: readonly ServerClass['spec'][] = [
      {},
      { selector: { matchLabels: { zone: 'a' } } },
      { selector: { matchExpressions: [{ key: 'zone', operator: 'in', values: ['a'] }] } },
    ];
    const change = fc.record({
      server: fc.constantFrom('a1', 'a2', 'b1'),
      gone: fc.boolean(),
      accepted: fc.boolean(),
      cordoned: fc.boolean(),
      inUse: fc.boolean(),
      newSpec: fc.option(fc.constantFrom(...specs), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const index = createMembershipIndex();
        const servers = new Map<string, Server>();
        let spec: ServerClass['spec'] = {};
        index.classChanged('x', spec);
        for (const { server, gone, accepted, cordoned, inUse, newSpec } of changes) {
          const next = gone ? undefined : serverOf(server, { accepted, cordoned }, { inUse });
          if (next === undefined) servers.delete(server);
          else servers.set(server, next);
          index.serverChanged(server, next);
          if (newSpec !== undefined) {
            spec = newSpec;
            index.classChanged('x', spec);
          }
          const full = classifyServers(spec, [...servers.values()]);
          const members = index.membersOf('x') ?? assert.fail('the class is known');
          assert.equal(members.problem === undefined, full.ok);
          if (!full.ok) continue;
          const { serversAvailable, serversInUse } = planClassStatus(classOf('x'), members);
          assert.deepEqual(
            { serversAvailable, serversInUse },
            { serversAvailable: full.serversAvailable, serversInUse: full.serversInUse },
          );
        }
      }),
      { verbose: 1 },
    );
  });
});
