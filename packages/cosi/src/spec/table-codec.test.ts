import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defineResource } from '../resource-definition.ts';
import { sampleSpec } from '../testing/index.ts';
import { equalValue } from './equal-value.ts';
import {
  bool,
  bytes,
  duration,
  enumeration,
  type Field,
  flags,
  int,
  ip,
  ipPort,
  list,
  mac,
  map,
  message,
  optional,
  prefix,
  text,
  time,
  uint,
  url,
} from './field.ts';

/** The codec of a type with one field. */
const codecOf = <T>(field: Field<T>) =>
  defineResource({ type: 'Ones.test.dev', namespace: 'test', spec: { field } }).codec;
const yamlOf = <T>(field: Field<T>, value: T): string => codecOf(field).toYaml({ field: value });
const hexOf = <T>(field: Field<T>, value: T): string =>
  Buffer.from(codecOf(field).toProtobuf({ field: value })).toString('hex');

const COLOURS = { red: 0, green: 1, blue: -400 } as const;
const BITS = { UP: 1, BROADCAST: 2, RUNNING: 64 } as const;

/** Field, value, YAML after `field:`, protobuf in hexadecimal. */
type Case = readonly [name: string, run: () => readonly [yaml: string, hex: string], yaml: string, hex: string];

const of = <T>(name: string, field: Field<T>, value: T, yaml: string, hex: string): Case => [
  name,
  () => [yamlOf(field, value), hexOf(field, value)],
  yaml === '' ? '{}\n' : `field:${yaml}\n`,
  hex,
];

const cases: readonly Case[] = [
  of('a text', text(1), 'a', ' a', '0a0161'),
  of('an empty text', text(1), '', ' ""', ''),
  of('an empty text that may be left out', text(1, { omitEmpty: true }), '', '', ''),
  of('a truth', bool(2), true, ' true', '1001'),
  of('an untruth', bool(2), false, ' false', ''),
  of('a number', uint(1), 300, ' 300', '08ac02'),
  of('a large number', uint(1), 2 ** 40, ' 1099511627776', '08808080808020'),
  of('a number below zero', int(1), -1, ' -1', '08ffffffffffffffffff01'),
  of('bytes', bytes(1), Uint8Array.of(1, 255), '\n    - 1\n    - 255', '0a0201ff'),
  of('a hardware address', mac(1), '00:16:3e:00:00:0a', ' 00:16:3e:00:00:0a', '0a0600163e00000a'),
  of(
    'a hardware address that looks like a number',
    mac(1),
    '52:54:00:12:34:56',
    ' "52:54:00:12:34:56"',
    '0a06525400123456',
  ),
  of('an IPv4 address', ip(1), '10.0.0.1', ' 10.0.0.1', '0a060a040a000001'),
  of('an IPv6 address with a zone', ip(1), 'fe80::1%eth0', ' fe80::1%eth0', `0a160a14fe80${'00'.repeat(13)}0165746830`),
  of('no address', ip(1), '', ' ""', ''),
  of('a prefix', prefix(1), '10.0.0.0/8', ' 10.0.0.0/8', '0a080a040a0000001008'),
  of('an address and port', ipPort(1), '10.0.0.1:53', ' 10.0.0.1:53', '0a080a040a0000011035'),
  of('an IPv6 address and port', ipPort(1), '[::1]:53', " '[::1]:53'", `0a140a10${'00'.repeat(15)}011035`),
  of('an address of the web', url(1), 'https://a', ' https://a', `0a0b0a09${Buffer.from('https://a').toString('hex')}`),
  of('a duration', duration(1), 90_500, ' 1m30.5s', '0a08085a1080cab5ee01'),
  of('no duration', duration(1), 0, ' 0s', ''),
  of('a time', time(1), 1_700_000_000_500, ' 2023-11-14T22:13:20.5Z', '0a0c0880e2cfaa061080cab5ee01'),
  of('no time', time(1), 0, ' 0001-01-01T00:00:00Z', ''),
  of('a name', enumeration(1, COLOURS), 'green', ' green', '0801'),
  of('the name of zero', enumeration(1, COLOURS), 'red', ' red', ''),
  of('the name of a number below zero', enumeration(1, COLOURS), 'blue', ' blue', '08f0fcffffffffffffff01'),
  of('a number without a name', enumeration(1, COLOURS), '77', ' "77"', '084d'),
  of('flags in the order of the table', flags(1, BITS), 65, ' UP,RUNNING', '0841'),
  of('flags without a name', flags(1, BITS), 128, ' ""', '088001'),
  of('no flags', flags(1, BITS), 0, ' ""', ''),
  of('something optional', optional(uint(1)), 0, ' 0', '0800'),
  of('nothing optional', optional(uint(1)), undefined, '', ''),
  of('a list of texts', list(1, text(1)), ['a', ''], '\n    - a\n    - ""', '0a01610a00'),
  of('a list of numbers, packed', list(1, uint(1)), [1, 0, 300], '\n    - 1\n    - 0\n    - 300', '0a040100ac02'),
  of('an empty list', list(1, text(1)), [], ' []', ''),
  of('an empty list that may be left out', list(1, text(1), { omitEmpty: true }), [], '', ''),
  of(
    'a map, sorted',
    map(1, bool(1)),
    { b: true, a: false },
    '\n    a: false\n    b: true',
    '0a050a016110000a050a01621001',
  ),
  of('an empty map', map(1, bool(1)), {}, ' {}', ''),
  of('a message', message(1, { a: text(2), b: uint(1) }), { a: 'x', b: 5 }, '\n    a: x\n    b: 5', '0a051201780805'),
  of('an empty message', message(1, { a: text(2, { omitEmpty: true }) }), { a: '' }, ' {}', ''),
  of('an empty optional message', optional(message(1, { a: text(2) })), { a: '' }, '\n    a: ""', '0a00'),
];

describe('a field of a spec', () => {
  for (const [name, run, yaml, hex] of cases) it(`${name} has its forms`, () => assert.deepEqual(run(), [yaml, hex]));

  it('of an inline message stands among the others, in the order of the table', () => {
    const { codec } = defineResource({
      type: 'Ones.test.dev',
      namespace: 'test',
      spec: { a: text(1), in: message(2, { b: text(1), c: text(2) }, { inline: true, omitEmpty: true }), d: text(3) },
    });
    const spec = { a: '1', in: { b: '2', c: '3' }, d: '4' };
    assert.equal(codec.toYaml(spec), 'a: "1"\nb: "2"\nc: "3"\nd: "4"\n');
    assert.equal(Buffer.from(codec.toProtobuf(spec)).toString('hex'), '0a0131' + '12060a01321201331a0134');
  });

  it('of lists of lists and messages is indented as Go does it', () => {
    const peers = list(1, message(1, { key: text(1), ips: list(2, text(1)) }));
    assert.equal(
      yamlOf(peers, [
        { key: 'k', ips: ['a', 'b'] },
        { key: 'l', ips: [] },
      ]),
      'field:\n    - key: k\n      ips:\n        - a\n        - b\n    - key: l\n      ips: []\n',
    );
  });

  it('of pairs is one mapping whose order is kept', () => {
    const features = list(1, message(1, { name: text(1), status: text(2) }), { asMap: true });
    const pairs = [
      { name: 'rx', status: 'on' },
      { name: 'a', status: 'off [fixed]' },
    ];
    assert.equal(yamlOf(features, pairs), 'field:\n    rx: on\n    a: off [fixed]\n');
    assert.equal(yamlOf(features, []), 'field: {}\n');
  });

  it('that holds no address where one belongs is none, and does not throw', () => {
    for (const wrong of ['nonsense', '1.2.3', 'fe80::/64/1', ':', '[', '%'])
      for (const field of [ip(1), prefix(1), ipPort(1), mac(1), url(1)])
        assert.ok(codecOf(field).toProtobuf({ field: wrong }) instanceof Uint8Array);
  });
});

describe('a table of fields', () => {
  const { codec, fields, make } = defineResource({
    type: 'Alls.test.dev',
    namespace: 'test',
    spec: {
      a: text(1),
      b: list(2, message(1, { c: map(1, uint(1)), d: optional(bool(2)) })),
      e: bytes(3),
      f: enumeration(4, COLOURS),
    },
  });

  it('makes specs of which nothing is set but what is said', () => {
    assert.deepEqual(make({ a: 'x' }), { a: 'x', b: [], e: new Uint8Array(), f: 'red' });
    assert.deepEqual(codec.toProtobuf(make()), new Uint8Array());
  });

  it('says of two specs whether they are equal', () => {
    const a = sampleSpec(fields, 1);
    assert.equal(equalValue(a, sampleSpec(fields, 1)), true);
    for (let other = 2; other < 20; other++) assert.equal(equalValue(a, sampleSpec(fields, other)), false);
  });
});

describe('equality of values', () => {
  it('is that of their content', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert.equal(equalValue(a, structuredClone(a)), true);
        assert.equal(equalValue(a, b), equalValue(b, a));
        if (JSON.stringify(a) === JSON.stringify(b)) assert.equal(equalValue(a, b), true);
      }),
    );
  });

  it('takes a key that is not there for one that is undefined, and keys of every object for keys', () => {
    assert.equal(equalValue({ a: undefined }, {}), true);
    assert.equal(equalValue({}, { a: undefined }), true);
    assert.equal(equalValue({ constructor: 1 }, {}), false);
    assert.equal(equalValue({}, { toString: 1 }), false);
    assert.equal(equalValue([], {}), false);
    assert.equal(equalValue(Uint8Array.of(1), [1]), false);
    assert.equal(equalValue(null, {}), false);
  });
});
