import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { demandedValue, matchesFields, parseFieldSelector } from './field-selector.ts';
import { matchesLabels, parseLabelSelector } from './label-selector.ts';

describe('label selectors', () => {
  const labels = { app: 'web', 'x.io/tier': '3', empty: '' };
  const cases: [selector: string, matches: boolean][] = [
    ['', true],
    ['app=web', true],
    ['app == web', true],
    ['app!=web', false],
    ['none!=web', true],
    ['app in (db, web)', true],
    ['app notin (db,web)', false],
    ['none notin (a)', true],
    ['app', true],
    ['none', false],
    ['!app', false],
    ['!none', true],
    ['empty=', true],
    ['empty in (,a)', true],
    ['app=web,x.io/tier>2', true],
    ['x.io/tier<3', false],
    ['app>2', false],
    ['app=web,none', false],
    ['constructor', false],
  ];
  for (const [selector, matches] of cases) {
    it(`"${selector}" ${matches ? 'matches' : 'does not match'}`, () => {
      const parsed = parseLabelSelector(selector);
      assert.ok(parsed.ok);
      assert.equal(matchesLabels(parsed.selector, labels), matches);
    });
  }

  for (const bad of [
    'a=b=c',
    'a in b',
    'a in (b',
    '=a',
    'a,',
    '!',
    'a b',
    '-a=b',
    'a=-b',
    'a>x',
    '/a',
    'a=b)',
    `${'a'.repeat(64)}`,
  ]) {
    it(`refuses "${bad}"`, () => assert.equal(parseLabelSelector(bad).ok, false));
  }

  it('is total', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '=', '!', '(', ')', ',', ' ', 'in', '<') })),
        (text) => {
          const parsed = parseLabelSelector(text);
          if (parsed.ok) matchesLabels(parsed.selector, labels);
        },
      ),
    );
  });
});

/** Texts of kube-apiserver 1.34. */
const refusals: [selector: string, message: string][] = [
  ['a in', "unable to parse requirement: found '' expected: '('"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  [',a', "found ',', expected: !, identifier, or 'end of string'"],
  ['=b', "found '=', expected: !, identifier, or 'end of string'"],
  ['a,,b', "found ',', expected: identifier after ','"],
  ['a in (b)c', "found 'c', expected: ',' or 'end of string'"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['a=b=c', "found '=', expected: ',' or 'end of string'"],
];

describe('label selectors that make no sense', () => {
  for (const [selector, message] of refusals) {
    it(`"${selector}" is refused`, () => assert.deepEqual(parseLabelSelector(selector), { ok: false, message }));
  }
});

describe('field selectors', () => {
  const object = { metadata: { name: 'a', namespace: 'n' }, spec: { size: 3, on: true }, type: 'a,b=c' };
  const allowed = ['spec.size', 'spec.on', 'type', 'spec.none'];
  const cases: [selector: string, matches: boolean][] = [
    ['', true],
    ['metadata.name=a', true],
    ['metadata.name==a,metadata.namespace!=m', true],
    ['metadata.name!=a', false],
    ['spec.size=3,spec.on=true', true],
    ['spec.none=', true],
    ['type=a\\,b\\=c', true],
  ];
  for (const [selector, matches] of cases) {
    it(`"${selector}" ${matches ? 'matches' : 'does not match'}`, () => {
      const parsed = parseFieldSelector(selector, allowed);
      assert.ok(parsed.ok);
      assert.equal(matchesFields(parsed.selector, object), matches);
    });
  }

  it('refuses fields that the resource does not offer', () => {
    assert.deepEqual(parseFieldSelector('spec.other=1', allowed), {
      ok: false,
      message: 'field label not supported: spec.other',
    });
  });

  it('refuses fields of kinds that offer none', () => {
    assert.deepEqual(parseFieldSelector('spec.x=1', [], true), {
      ok: false,
      message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    });
  });

  it('refuses what it cannot understand', () => {
    assert.equal(parseFieldSelector('metadata.name', []).ok, false);
    assert.equal(parseFieldSelector('metadata.name=a=b', []).ok, false);
  });

  it('tells which name is demanded', () => {
    const parsed = parseFieldSelector('metadata.name=a', []);
    assert.equal(parsed.ok && demandedValue(parsed.selector, 'metadata.name'), 'a');
  });

  it('is total', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', '!', '\\', ',', '.', 'metadata.name') }), (text) => {
        const parsed = parseFieldSelector(text, ['a']);
        if (parsed.ok) matchesFields(parsed.selector, object);
      }),
    );
  });
});
