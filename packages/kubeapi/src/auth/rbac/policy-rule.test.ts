import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Attributes } from '../authorize.ts';
import { type PolicyRule, readRules, ruleAllows, ruleJson } from './policy-rule.ts';
import { ruleText, uncoveredRules } from './rule-coverage.ts';

const EMPTY: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };
const rule = (more: Partial<PolicyRule>): PolicyRule => ({ ...EMPTY, verbs: ['get'], apiGroups: [''], ...more });
const ask = (resource: string, more: Partial<Extract<Attributes, { resource: string }>> = {}): Attributes => {
  const [plural = '', subresource = ''] = resource.split('/');
  return { verb: 'get', group: '', resource: plural, subresource, namespace: 'n', name: '', ...more };
};

describe('a rule', () => {
  const cases: [name: string, rule: Partial<PolicyRule>, asked: Attributes, allows: boolean][] = [
    ['allows its verb on its resource', { resources: ['pods'] }, ask('pods'), true],
    ['no other verb', { resources: ['pods'] }, ask('pods', { verb: 'list' }), false],
    ['every verb with a star', { resources: ['pods'], verbs: ['*'] }, ask('pods', { verb: 'x' }), true],
    ['no other group', { resources: ['pods'] }, ask('pods', { group: 'apps' }), false],
    ['every group with a star', { resources: ['pods'], apiGroups: ['*'] }, ask('pods', { group: 'apps' }), true],
    ['no subresource of its resource', { resources: ['pods'] }, ask('pods/log'), false],
    ['a subresource by name', { resources: ['pods/log'] }, ask('pods/log'), true],
    ['not the resource of a subresource', { resources: ['pods/log'] }, ask('pods'), false],
    ['a subresource of every resource', { resources: ['*/scale'] }, ask('deployments/scale'), true],
    ['no other subresource then', { resources: ['*/scale'] }, ask('deployments/status'), false],
    ['not the resource then', { resources: ['*/scale'] }, ask('deployments'), false],
    ['not all subresources of one resource', { resources: ['pods/*'] }, ask('pods/log'), false],
    ['everything with a star', { resources: ['*'] }, ask('pods/log'), true],
    ['the names that it lists', { resources: ['pods'], resourceNames: ['a'] }, ask('pods', { name: 'a' }), true],
    ['no other name', { resources: ['pods'], resourceNames: ['a'] }, ask('pods', { name: 'b' }), false],
    ['not all objects when it lists names', { resources: ['pods'], resourceNames: ['a'] }, ask('pods'), false],
    ['no path when it is for resources', { resources: ['*'] }, { verb: 'get', path: '/metrics' }, false],
    ['its path', { nonResourceURLs: ['/metrics'] }, { verb: 'get', path: '/metrics' }, true],
    ['no path below it', { nonResourceURLs: ['/metrics'] }, { verb: 'get', path: '/metrics/x' }, false],
    ['all paths below with a star', { nonResourceURLs: ['/api/*'] }, { verb: 'get', path: '/api/v1/x' }, true],
    ['not the path itself then', { nonResourceURLs: ['/api/*'] }, { verb: 'get', path: '/api' }, false],
    ['a star only at the end', { nonResourceURLs: ['/a*c'] }, { verb: 'get', path: '/abc' }, false],
    ['all paths', { nonResourceURLs: ['*'] }, { verb: 'get', path: '/anything' }, true],
    ['no resource when it is for paths', { apiGroups: [], nonResourceURLs: ['*'] }, ask('pods'), false],
  ];
  for (const [name, more, asked, allows] of cases)
    it(`allows ${name.replace(/^allows /, '')}: ${allows}`, () => assert.equal(ruleAllows(rule(more), asked), allows));

  it('is read from a role whatever stands there', () => {
    assert.deepEqual(readRules(undefined), []);
    assert.deepEqual(readRules({ rules: null }), []);
    assert.deepEqual(readRules({ rules: [null, 'x', { verbs: 'get', resources: [1, 'pods'] }] }), [
      { ...EMPTY, resources: ['pods'] },
    ]);
    assert.deepEqual(ruleJson(rule({ resources: ['pods'] })), { verbs: ['get'], apiGroups: [''], resources: ['pods'] });
  });
});

describe('what a role grants beyond the rules that somebody holds', () => {
  const HELD = [rule({ resources: ['pods', 'secrets'] }), rule({ resources: ['*/scale'], apiGroups: ['*'] })];
  const cases: [name: string, wanted: Partial<PolicyRule>, missing: readonly string[]][] = [
    ['is nothing for the same', { resources: ['secrets', 'pods'] }, []],
    ['is nothing for names of the same', { resources: ['pods'], resourceNames: ['a'] }, []],
    ['is nothing for a subresource that is held of all', { resources: ['foos/scale'], apiGroups: ['x'] }, []],
    [
      'is put together by resource',
      { resources: ['pods', 'nodes'], verbs: ['get', 'delete', 'list'] },
      [
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "list"]}',
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "delete" "list"]}',
      ],
    ],
    [
      'is told for each name',
      { resources: ['nodes'], resourceNames: ['a', 'b'] },
      [
        '{APIGroups:[""], Resources:["nodes"], ResourceNames:["a"], Verbs:["get"]}',
        '{APIGroups:[""], Resources:["nodes"], ResourceNames:["b"], Verbs:["get"]}',
      ],
    ],
    ['is a star', { resources: ['*'] }, ['{APIGroups:[""], Resources:["*"], Verbs:["get"]}']],
    [
      'is told for each verb on a path',
      { nonResourceURLs: ['/x/*'], apiGroups: [], verbs: ['get', 'post'] },
      ['{NonResourceURLs:["/x/*"], Verbs:["get"]}', '{NonResourceURLs:["/x/*"], Verbs:["post"]}'],
    ],
  ];
  for (const [name, wanted, missing] of cases)
    it(name, () => assert.deepEqual(uncoveredRules(HELD, [rule(wanted)]).map(ruleText), missing));

  it('is not covered by rules for some names only', () => {
    const held = [rule({ resources: ['pods'], resourceNames: ['a'] })];
    assert.equal(uncoveredRules(held, [rule({ resources: ['pods'] })]).length, 1);
    assert.equal(uncoveredRules(held, [rule({ resources: ['pods'], resourceNames: ['a'] })]).length, 0);
  });

  it('is nothing exactly when every request that the role allows is allowed already', () => {
    const some = <T>(...values: T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
    const rules = fc.record({
      verbs: some('get', 'list', '*'),
      apiGroups: some('', 'apps', '*'),
      resources: some('pods', 'pods/log', '*/log', '*'),
      resourceNames: fc.oneof(fc.constant([]), some('a', 'b')),
      nonResourceURLs: fc.constant([]),
    });
    const requests = ['get', 'list', 'other'].flatMap((verb) =>
      ['', 'apps', 'other'].flatMap((group) =>
        ['pods', 'pods/log', 'foos', 'foos/log', 'foos/x'].flatMap((resource) =>
          ['', 'a', 'b', 'c'].map((name) => ask(resource, { verb, group, name })),
        ),
      ),
    );
    fc.assert(
      fc.property(fc.array(rules, { maxLength: 3 }), rules, (held, wanted) => {
        if (uncoveredRules(held, [wanted]).length > 0) return;
        for (const asked of requests)
          if (ruleAllows(wanted, asked))
            assert.ok(
              held.some((one) => ruleAllows(one, asked)),
              JSON.stringify(asked),
            );
      }),
      { numRuns: 2000 },
    );
  });
});
