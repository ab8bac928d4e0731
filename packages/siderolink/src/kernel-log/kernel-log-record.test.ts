import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { kernelLogLine } from './kernel-log-line.ts';
import { type KernelLogRecord, parseKernelLogRecord } from './kernel-log-record.ts';

const BOOT_NS = 1_644_583_314_171_495_230n;
const parse = (text: string): KernelLogRecord | undefined => parseKernelLogRecord(Buffer.from(text));
const message = (text: string): string | undefined => parse(`6,1,2,-;${text}`)?.message;

describe('a kernel log record', () => {
  it('is taken apart', () => {
    const want = { priority: 4, facility: 1, seq: 665, clockUs: 8576583, message: 'hello\n' };
    assert.deepEqual(parse('12,665,8576583,-;hello\n'), want);
    assert.deepEqual(parse('12,665,8576583,-,caller=T1;hello\n'), want);
    assert.deepEqual(parse('12,665,8576583;hello\n'), want);
  });

  const escapes: readonly [string, string][] = [
    [String.raw`a\\b`, String.raw`a\b`],
    [String.raw`\xc3\xa4`, 'ä'],
    [String.raw`a\nb`, 'ab'],
    [String.raw`\xZZ`, 'ZZ'],
    [String.raw`\x4`, '4'],
    ['tail\\', 'tail'],
    [String.raw`\\x41`, String.raw`\x41`],
    ['a;b;c', 'a;b;c'],
    ['x\n KEY=value\n', 'x\n KEY=value\n'],
  ];
  for (const [raw, want] of escapes) it(`reads ${JSON.stringify(raw)}`, () => assert.equal(message(raw), want));

  const broken = ['', 'nonsense', ';', '6,1;x', '6,1,;x', 'a,1,2,-;x', '6,-1,2,-;x', `6,1,2,${'x'.repeat(2000)};m`];
  for (const text of broken)
    it(`is not ${JSON.stringify(text.slice(0, 20))}`, () => assert.equal(parse(text), undefined));

  it('keeps a facility without a name as number', () => {
    const record = parse(`${23 * 8 + 3},1,2,-;x`);
    assert.ok(record);
    assert.match(kernelLogLine(record, BOOT_NS), /"facility":"23","msg":"x","priority":"err"/);
  });

  it('gives one line of JSON with sorted keys for any bytes, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (tail, prefix, clock) => {
        for (const bytes of [tail, Buffer.concat([Buffer.from(`${prefix},1,${clock},-;`), tail])]) {
          const record = parseKernelLogRecord(bytes);
          if (record === undefined) continue;
          const line = kernelLogLine(record, BOOT_NS);
          assert.equal(line.indexOf('\n'), line.length - 1);
          const keys = Object.keys(JSON.parse(line));
          assert.deepEqual(keys, [...keys].sort());
          assert.equal(JSON.parse(line).msg, record.message);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('escapes what upstream escapes', () => {
    const record = parse('6,1,0,-;<a>&\u2028\u0001');
    assert.ok(record);
    assert.match(kernelLogLine(record, BOOT_NS), /"msg":"\\u003ca\\u003e\\u0026\\u2028\\u0001"/);
  });

  it('writes times without trailing zeros', () => {
    const at = (clockUs: number, bootNs: bigint): string =>
      JSON.parse(kernelLogLine({ clockUs, priority: 6, facility: 0, seq: 0, message: '' }, bootNs))['talos-time'];
    assert.equal(at(0, 0n), '1970-01-01T00:00:00Z');
    assert.equal(at(1, 999n), '1970-01-01T00:00:00.000001999Z');
    assert.equal(at(100_000, 0n), '1970-01-01T00:00:00.1Z');
    assert.equal(at(Number.MAX_SAFE_INTEGER, 253_402_300_799n * 1_000_000_000n), '9999-12-31T23:59:59Z');
  });
});
