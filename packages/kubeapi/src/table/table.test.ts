import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json, JsonObject } from '@bloomery/model';
import fc from 'fast-check';
import { ageText, durationText } from './age.ts';
import { findAll, findFirst, parseJsonPath } from './json-path.ts';
import { renderTable } from './table.ts';

const object = {
  metadata: { name: 't', creationTimestamp: '2026-01-01T00:00:00Z', annotations: { 'a.b/c': 'x' } },
  spec: {
    size: 4,
    tags: ['b', 'a'],
    ports: [
      { name: 'x', n: 1 },
      { name: 'y', n: 2 },
    ],
    flag: false,
  },
  status: {
    conditions: [
      { type: 'Other', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  },
};

describe('JSONPath', () => {
  const cases: [path: string, want: Json[]][] = [
    ['.spec.size', [4]],
    ['{.spec.size}', [4]],
    ['$.spec.size', [4]],
    ['.spec.none.deeper', []],
    [".spec['size']", [4]],
    ['.spec["size"]', [4]],
    ['.metadata.annotations.a\\.b/c', ['x']],
    [".metadata.annotations['a.b/c']", ['x']],
    ['.spec.tags', [['b', 'a']]],
    ['.spec.tags[0]', ['b']],
    ['.spec.tags[-1]', ['a']],
    ['.spec.tags[5]', []],
    ['.spec.ports[0:1].name', ['x']],
    ['.spec.ports[*].name', ['x', 'y']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.type == "Ready")].status', ['True']],
    ['.spec.ports[?(@.n>1)].name', ['y']],
    ['.spec.ports[?(@.name!="x")].n', [2]],
    ['.spec.ports[?(@.none)].n', []],
    ['.constructor', []],
  ];
  for (const [path, want] of cases) {
    it(path, () => {
      const parsed = parseJsonPath(path);
      assert.ok(parsed);
      assert.deepEqual(findAll(parsed, object), want);
    });
  }
  for (const bad of ['spec', '.spec[', '.a[?(@.b==)]', '.a b', '..a', '.a[x]']) {
    it(`refuses ${bad}`, () => assert.equal(parseJsonPath(bad), undefined));
  }
  it('is total', () => {
    const piece = fc.constantFrom('.a', '[0]', '[*]', "['a']", '[?(@.a=="b")]', '[', '?', '(', "'", '\\', '.');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.jsonValue(), (pieces, value) => {
        const path = parseJsonPath(pieces.join(''));
        if (path !== undefined) findFirst(path, value as Json);
      }),
    );
  });
});

describe('ages', () => {
  const cases: [seconds: number, want: string][] = [
    [-5, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [192, '3m12s'],
    [600, '10m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 300, '3h5m'],
    [8 * 3600 + 300, '8h'],
    [5 * 86_400 + 4 * 3600, '5d4h'],
    [8 * 86_400 + 4 * 3600, '8d'],
    [(2 * 365 + 10) * 86_400, '2y10d'],
    [9 * 365 * 86_400, '9y'],
  ];
  for (const [seconds, want] of cases) it(`${seconds} s is ${want}`, () => assert.equal(durationText(seconds), want));
  it('an unknown time is <unknown>', () => assert.equal(ageText(undefined, 0), '<unknown>'));
});

describe('tables', () => {
  const nowMs = Date.parse('2026-01-01T00:03:12Z');
  const cells = (columns: readonly JsonObject[], group = 'g', kind = 'K', subject: JsonObject = object): Json => {
    const definition = { group, kind, columns: columns as never };
    const rows = renderTable(definition, [subject], { nowMs, includeObject: 'None' })['rows'] as JsonObject[];
    return rows[0]?.['cells'] ?? null;
  };

  it('renders the first value of a path by the type of its column', () => {
    const columns = [
      { name: 'Size', of: 'integer', path: '.spec.size' },
      { name: 'Tags', of: 'string', path: '.spec.tags' },
      { name: 'Names', of: 'string', path: '.spec.ports[*].name' },
      { name: 'Flag', of: 'boolean', path: '.spec.flag' },
      { name: 'Wrong', of: 'integer', path: '.spec.tags' },
      { name: 'None', of: 'string', path: '.spec.none' },
      { name: 'Age', of: 'date', path: '.metadata.creationTimestamp' },
    ];
    assert.deepEqual(cells(columns), ['t', 4, '["b","a"]', 'x', false, null, null, '3m12s']);
  });

  it('shows the age of a kind without columns', () => assert.deepEqual(cells([]), ['t', '3m12s']));

  it('counts the data of a Secret', () => {
    const secret = { ...object, type: 'Opaque', data: { a: '', b: '' } };
    assert.deepEqual(cells([], '', 'Secret', secret), ['t', 'Opaque', 2, '3m12s']);
  });

  it('renders Events', () => {
    const event = {
      metadata: { name: 'e' },
      type: 'Warning',
      reason: 'Why',
      message: 'text ',
      involvedObject: { kind: 'Server', name: 's' },
      source: { component: 'c' },
      lastTimestamp: '2026-01-01T00:03:02Z',
      firstTimestamp: '2026-01-01T00:00:12Z',
      count: 3,
    };
    assert.deepEqual(cells([], '', 'Event', event), [
      '10s',
      'Warning',
      'Why',
      'server/s',
      '',
      'c',
      'text',
      '3m',
      3,
      'e',
    ]);
  });
});
