import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json, JsonObject } from '@bloomery/model';
import fc from 'fast-check';
import { compileCel } from './compile-condition.ts';

const OBJECT: Json = {
  a: 2,
  half: 0.5,
  name: 'web-1',
  list: ['b', 'a'],
  numbers: Array.from({ length: 300 }, (_, i) => i),
  map: { x: 'y' },
  none: null,
};

function run(expression: string): boolean | string {
  const compiled = compileCel(expression, ['object', 'oldObject', 'request']);
  if (!compiled.ok) return compiled.message;
  const result = compiled.evaluate({ object: OBJECT, request: { operation: 'CREATE' } });
  return result.ok ? result.value : result.message;
}

const TRUE: readonly string[] = [
  // the language
  'object.a > 1 && object.a == 2',
  'has(object.map.x) && !has(object.map.y)',
  "object.?missing.orValue('d') == 'd'",
  "object.map.?x.optMap(x, x + '!').orValue('') == 'y!'",
  'object.half < 1.0',
  "object.name in ['web-1', 'web-2']",
  "'x' in object.map",
  'oldObject == null && object.none == null',
  "request.operation == 'CREATE'",
  'object.list.exists(x, x == "a") && object.list.all(x, x < "c")',
  'object.list.exists_one(x, x == "a")',
  "object.list.map(x, x + '0') == ['b0', 'a0']",
  'object.numbers.filter(x, x > 297) == [298, 299]',
  'size(object.list) == 2 && object.name.size() == 5',
  "object.a == 2 ? true : object.name == ''",
  'type(object.a) == int && type(object.name) == string',
  'cel.bind(x, object.a, x + x == 4)',
  // two variables
  'object.list.all(i, v, i >= 0 && v != "")',
  'object.list.exists(i, v, i == 1 && v == "a")',
  'object.list.existsOne(i, v, v == "a")',
  "object.map.transformList(k, v, k + v) == ['xy']",
  "object.list.transformMap(i, v, i > 0, v) == {1: 'a'}",
  "object.map.transformMapEntry(k, v, {v: k}) == {'y': 'x'}",
  // texts
  "object.name.matches('^web-[0-9]+$') && matches(object.name, 'w')",
  "object.name.find('[0-9]+') == '1' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
  "'ÄB'.lowerAscii() == 'Äb' && 'ab'.upperAscii() == 'AB'",
  "'héllo'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3",
  "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
  "'abc'.substring(1) == 'bc' && 'abc'.substring(1, 2) == 'b' && 'abc'.charAt(0) == 'a'",
  "'a-b-c'.replace('-', '+') == 'a+b+c' && 'a-b-c'.replace('-', '', 1) == 'ab-c'",
  "' a '.trim() == 'a' && ['a', 'b'].join('-') == 'a-b'",
  "'%s has %d of %.1f, %x'.format(['a', 4, 1.5, 255]) == 'a has 4 of 1.5, ff'",
  "string(1e10) == '1e+10' && string(1.5) == '1.5' && string(ip('2001:DB8::1')) == '2001:db8::1'",
  "int('+5') == 5 && int(-1.9) == -1 && string(duration('90m')) == '5400s' && int(timestamp('1970-01-01T00:00:05Z')) == 5",
  "'%s'.format([['a', 1]]) == '[\"a\", 1]' && '%s'.format([{'b': 2}]) == '{\"b\":2}'",
  "has(object.list) && has({'a': {'b': 1}}.a.b) && !has([{'a': 1}][0].b)",
  "optional.ofNonZeroValue('').orValue('z') == 'z' && [1].first().value() == 1 && strings.quote('a') == '\"a\"'",
  // lists and sets
  '[1, 3, 2].max() == 3 && [1, 3, 2].min() == 1 && [1, 2].sum() == 3',
  "['a', 'b'].isSorted() && !object.list.isSorted()",
  "object.list.indexOf('a') == 1 && ['a', 'a'].lastIndexOf('a') == 1",
  'sets.contains([1, 2], [1]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 2], [2, 1, 1])',
  // Kubernetes
  "quantity('1Gi').isGreaterThan(quantity('1000M')) && quantity('1500m').asApproximateFloat() == 1.5",
  "isQuantity('20Mi') && !isQuantity('x') && quantity('2').add(quantity('3')).asInteger() == 5",
  "quantity('50k') == quantity('50000') && quantity('1').compareTo(quantity('2')) == -1",
  "isURL('https://a.b:80/x?y=1') && url('https://a.b:80/x?y=1').getPort() == '80'",
  "url('https://[::1]:80/a').getHostname() == '::1' && url('https://a/b?c=d').getQuery()['c'] == ['d']",
  "!isURL('a b') && url('/path').getScheme() == ''",
  "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6 && !isIP('1.2.3')",
  "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1')",
  "cidr('10.0.0.0/8').containsIP('10.3.4.5') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
  "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('::/0').prefixLength() == 0 && isCIDR('1.2.3.4/32')",
  "format.dns1123Label().validate('Bad_').hasValue() && !format.dns1123Label().validate('good').hasValue()",
  "!format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()",
  "!format.named('nonsense').hasValue()",
  "semver('1.10.0').isGreaterThan(semver('1.2.3')) && semver('1.0.0-alpha').isLessThan(semver('1.0.0'))",
  "semver('v1.2', true).major() == 1 && !isSemver('v1.2')",
  "duration('90s') == duration('1m30s') && timestamp('2020-01-01T00:00:00Z') < timestamp('2021-01-01T00:00:00Z')",
];

const FAILURES: readonly (readonly [expression: string, message: string | RegExp])[] = [
  ['object.map.y == 1', 'no such key: y'],
  ['object.list[7] == "a"', 'index out of bounds: 7'],
  ['1 / (object.a - 2) == 1', 'division by zero'],
  ['int(object.name) == 1', "type conversion error from 'string' to 'int'"],
  ["object.name.matches('[' + object.name)", /^error parsing regexp/],
  ['quantity(object.name).sign() == 1', /^quantities must match/],
  ['object.a + object.name == ""', 'no such overload'],
  ['optional.none().value() == 1', 'optional.none() dereference'],
  ['[1].max() == [].max()', 'max called on empty list'],
  // does not compile
  ['object.a >', /^ERROR: <input>:1:\d+: Syntax error/],
  [
    'authorizer.allowed()',
    "ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n | authorizer.allowed()\n | ^",
  ],
  [
    "'a' + 1 == 'b'",
    "ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(string, int)'\n | 'a' + 1 == 'b'\n | ....^",
  ],
  ["'a'", 'must evaluate to bool but got string'],
  ["'a'.matches('(?=x)')", /invalid matches argument/],
];

describe('CEL with the libraries of Kubernetes', () => {
  for (const expression of TRUE) it(`finds true: ${expression}`, () => assert.equal(run(expression), true));
  for (const [expression, message] of FAILURES) {
    it(`says why not: ${expression}`, () => {
      const got = run(expression);
      if (typeof message === 'string') assert.equal(got, message);
      else assert.match(String(got), message);
    });
  }
});

describe('an evaluation', () => {
  const HOSTILE = [
    'object.numbers.all(a, object.numbers.all(b, object.numbers.all(c, object.numbers.all(d, a + b + c + d >= 0))))',
    'object.numbers.all(i, a, object.numbers.all(j, b, object.numbers.all(k, c, a + b + c >= 0)))',
    'object.numbers.map(a, object.numbers.map(b, object.numbers.map(c, a))).size() > 0',
    `${Array.from({ length: 40 }, (_, i) => `cel.bind(x${i}, x${i - 1} + x${i - 1}, `)
      .join('')
      .replace('x-1 + x-1', 'object.numbers + object.numbers')}x39.size() > 0${')'.repeat(40)}`,
    `${Array.from({ length: 40 }, (_, i) => `cel.bind(x${i}, x${i - 1} + x${i - 1}, `)
      .join('')
      .replace('x-1 + x-1', "'abcdefgh' + object.name")}x39.matches('(a+)+$')${')'.repeat(40)}`,
    "'aaaaaaaaaa'.replace('', 'bbbbbbbbbb').replace('', 'cccccccccc').replace('', 'cccccccccc').replace('', 'cccccccccc').replace('', 'cccccccccc').replace('', 'cccccccccc') == ''",
  ];
  for (const [i, expression] of HOSTILE.entries()) {
    it(`ends when its work grows out of bounds (${i})`, () => {
      const message = run(expression);
      assert.match(String(message), /actual cost limit exceeded|too long/);
    });
  }

  const large: JsonObject = {
    text: 'a'.repeat(100_000),
    same: 'a'.repeat(100_000),
    list: Array.from({ length: 2000 }, (_, i) => ({ name: `n${i}` })),
    map: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`n${i}`, i])),
  };
  const evaluateLarge = (expression: string): unknown => {
    const program = compileCel(expression, ['object']);
    assert.ok(program.ok);
    const result = program.evaluate({ object: large });
    return result.ok ? result.value : result.message;
  };
  const LOOKS = [
    'size(object.text) > 0',
    "object.text.lowerAscii() != ''",
    'object.text == object.same',
    '!object.text.endsWith(object.same) || true',
    "bytes(object.text) != b''",
    'object.list == object.list',
    'object.map == object.map',
    'x in object.list',
  ];
  for (const look of LOOKS) {
    it(`ends when a loop looks at something large each time: ${look}`, () =>
      assert.equal(evaluateLarge(`object.list.all(x, ${look})`), 'operation cancelled: actual cost limit exceeded'));
  }

  it('may look something up in a large map as often as it likes, and at small values', () => {
    assert.equal(evaluateLarge('object.list.all(x, x.name in object.map && x.name.startsWith("n"))'), true);
  });

  it('never throws, whatever the expression', () => {
    const pieces = [
      'object',
      '.a',
      '.list',
      '[0]',
      ' + ',
      ' == ',
      "'x'",
      '1',
      '1.5',
      '(',
      ')',
      '.all(x, ',
      'x',
      ' && ',
      '!',
      'has(',
      '.matches(',
      'null',
      '?',
      ':',
      ',',
      'optional.of(',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        run(parts.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
