import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Admission, JsonObject } from '@bloomery/model';
import { admitClusterRole, admitClusterRoleBinding, admitRole, admitRoleBinding } from './rbac-admission.ts';

const lines = ({ problems }: Admission): string[] => problems.map(({ field, message }) => `${field}: ${message}`);
const GROUP = 'rbac.authorization.k8s.io';
const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name: 'view' };

describe('roles', () => {
  const rules: [name: string, rule: JsonObject, role: readonly string[], clusterRole?: readonly string[]][] = [
    ['a whole rule is right', { verbs: ['get'], apiGroups: [''], resources: ['x'] }, []],
    [
      'an empty rule lacks everything',
      {},
      [
        'rules[0].verbs: Required value: verbs must contain at least one value',
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[0].resources: Required value: resource rules must supply at least one resource',
      ],
    ],
    [
      'paths are for ClusterRoles',
      { verbs: ['get'], nonResourceURLs: ['/x'] },
      ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
      [],
    ],
    [
      'a rule is for paths or for resources',
      { verbs: ['get'], nonResourceURLs: ['/x'], resources: ['x'] },
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
    ],
  ];
  for (const [name, rule, role, clusterRole = role] of rules) {
    it(name, () => {
      assert.deepEqual(lines(admitRole({ rules: [rule] })), role);
      assert.deepEqual(lines(admitClusterRole({ rules: [rule] })), clusterRole);
    });
  }

  const field = 'aggregationRule.clusterRoleSelectors';
  const aggregations: [name: string, selectors: JsonObject[], want: readonly string[]][] = [
    ['labels select', [{ matchLabels: { a: 'b' } }], []],
    ['expressions select', [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }], []],
    [
      'nothing selects nothing',
      [],
      [`${field}: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil`],
    ],
    [
      'an unknown operator is refused',
      [{ matchExpressions: [{ key: 'a', operator: 'Foo' }] }],
      [
        `${field}[0].matchExpressions[0].operator: Invalid value: "Foo": not a valid selector operator`,
        `${field}[0]: Invalid value: null: invalid label selector.`,
      ],
    ],
    [
      'labels that are none are refused',
      [{ matchLabels: { a: 1 } }],
      [`${field}[0]: Invalid value: null: invalid label selector.`],
    ],
    [
      'expressions that are none are refused',
      [{ matchExpressions: ['x'] }],
      [`${field}[0]: Invalid value: null: invalid label selector.`],
    ],
  ];
  for (const [name, clusterRoleSelectors, want] of aggregations)
    it(`aggregate: ${name}`, () =>
      assert.deepEqual(lines(admitClusterRole({ aggregationRule: { clusterRoleSelectors } })), want));
});

describe('bindings', () => {
  const user = { kind: 'User', name: 'x', apiGroup: GROUP };
  const cases: [name: string, binding: JsonObject, want: readonly string[]][] = [
    ['a whole one is right', { roleRef, subjects: [user] }, []],
    ['subjects may be none', { roleRef }, []],
    [
      'a role is needed',
      {},
      ['roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"', 'roleRef.name: Required value'],
    ],
    [
      'the group of roles is one',
      { roleRef: { ...roleRef, apiGroup: 'x' } },
      [`roleRef.apiGroup: Unsupported value: "x": supported values: "${GROUP}"`],
    ],
    [
      'names are path segments',
      { roleRef: { ...roleRef, name: 'a/b%' } },
      [
        'roleRef.name: Invalid value: "a/b%": may not contain \'/\'',
        'roleRef.name: Invalid value: "a/b%": may not contain \'%\'',
      ],
    ],
    [
      'subjects are of three kinds',
      { roleRef, subjects: [{ kind: 'Foo', name: 'x' }] },
      ['subjects[0].kind: Unsupported value: "Foo": supported values: "ServiceAccount", "User", "Group"'],
    ],
    ['subjects have names', { roleRef, subjects: [{ ...user, name: '' }] }, ['subjects[0].name: Required value']],
    [
      'users are of one group',
      { roleRef, subjects: [{ ...user, apiGroup: 'zz' }] },
      [`subjects[0].apiGroup: Unsupported value: "zz": supported values: "${GROUP}"`],
    ],
    [
      'service accounts are of the core group',
      { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'x', apiGroup: 'zz' }] },
      ['subjects[0].apiGroup: Unsupported value: "zz": supported values: ""'],
    ],
  ];
  for (const [name, binding, want] of cases)
    it(name, () => assert.deepEqual(lines(admitRoleBinding(binding, undefined)), want));

  it('of service accounts need names that accounts can have', () => {
    const [line = ''] = lines(
      admitRoleBinding({ roleRef, subjects: [{ kind: 'ServiceAccount', name: 'X Y' }] }, undefined),
    );
    assert.match(line, /^subjects\[0\]\.name: Invalid value: "X Y": a lowercase RFC 1123 subdomain must consist/);
  });

  it('for the whole API name ClusterRoles, and service accounts with their namespace', () => {
    const binding = { roleRef: { ...roleRef, kind: 'Role' }, subjects: [{ kind: 'ServiceAccount', name: 'x' }] };
    assert.deepEqual(lines(admitClusterRoleBinding(binding, undefined)), [
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'subjects[0].namespace: Required value',
    ]);
  });

  it('keep their role', () => {
    const changed = { roleRef: { ...roleRef, name: 'edit' } };
    assert.deepEqual(lines(admitRoleBinding(changed, { roleRef })), [
      `roleRef: Invalid value: {"APIGroup":"${GROUP}","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef`,
    ]);
    assert.deepEqual(lines(admitRoleBinding({ roleRef }, { roleRef })), []);
  });
});
