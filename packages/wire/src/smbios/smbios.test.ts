import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { decodeSmbiosEntryPoint } from './entry-point.ts';
import { memoryTypeName } from './memory-type.ts';
import { decodeSmbios } from './smbios.ts';
import { MAX_STRUCTURES, smbiosStructures } from './structure.ts';

const V3 = { major: 3, minor: 3, revision: 0 };
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

/** A structure of `type` with these bytes behind the header and these strings. */
function structure(type: number, area: readonly number[], strings: readonly string[] = []): Buffer {
  const texts = strings.length === 0 ? '\0\0' : `${strings.join('\0')}\0\0`;
  return Buffer.concat([Buffer.from([type, area.length + 4, 1, 0, ...area]), Buffer.from(texts, 'latin1')]);
}

describe('the SMBIOS entry point', () => {
  it('gives the version of the 32-bit form', () => {
    const bytes = Buffer.concat([Buffer.from('_SM_'), Buffer.from([0, 31, 2, 8]), Buffer.alloc(23)]);
    assert.deepEqual(decodeSmbiosEntryPoint(bytes), { major: 2, minor: 8, revision: 0 });
  });
  it('gives the version of the 64-bit form', () => {
    const bytes = Buffer.concat([Buffer.from('_SM3_'), Buffer.from([0, 24, 3, 6, 1]), Buffer.alloc(14)]);
    assert.deepEqual(decodeSmbiosEntryPoint(bytes), { major: 3, minor: 6, revision: 1 });
  });
  it('refuses every truncation and any rubbish with an error of ours', () => {
    for (const text of ['', '_SM', '_SM_', '_SM_\0\0\x02', '_SM3_\0\0\x03\x01', 'rubbish']) {
      assert.throws(() => decodeSmbiosEntryPoint(Buffer.from(text, 'latin1')), isBloomeryError);
    }
  });
});

describe('an SMBIOS table', () => {
  it('of several systems the last counts', () => {
    const table = Buffer.concat([structure(1, [1], ['First']), structure(1, [1], ['Second']), structure(127, [])]);
    assert.equal(decodeSmbios(table, V3).system.manufacturer, 'Second');
  });
  it('ends at its end mark', () => {
    const table = Buffer.concat([structure(127, []), structure(1, [1], ['Hidden'])]);
    assert.equal(decodeSmbios(table, V3).system.manufacturer, '');
  });
  it('drops fillers, bad UTF-8 and blanks of strings', () => {
    const table = structure(1, [1, 2, 3, 4], ['To Be Filled By O.E.M.', '\xff\xfe', '  V1 ', 'Default string']);
    const { manufacturer, productName, version, serialNumber } = decodeSmbios(table, V3).system;
    assert.deepEqual([manufacturer, productName, version, serialNumber], ['', '', 'V1', 'Default string']);
  });
  it('too short for a UUID gives none', () => {
    assert.equal(decodeSmbios(structure(1, [0, 0, 0, 0]), V3).system.uuid, '');
  });
  const sizes: [name: string, word: number, extended: number, want: number[]][] = [
    ['an empty slot is no module', 0, 0, []],
    ['an unknown size is no module', 0xffff, 0, []],
    ['an extended size is read in full', 0x7fff, 98304, [98304]],
    ['a size in KiB is rounded down', 0x8000 | 2048, 0, [2]],
  ];
  for (const [name, word, extended, want] of sizes) {
    it(name, () => {
      const area = Buffer.alloc(0x20);
      area.writeUInt16LE(word, 0x0c - 4);
      area.writeUInt32LE(extended, 0x1c - 4);
      const { memoryModules } = decodeSmbios(structure(17, [...area]), V3);
      assert.deepEqual(
        memoryModules.map((m) => m.sizeMb),
        want,
      );
    });
  }
  it('names memory types as the DMTF does', () => {
    assert.deepEqual([0x12, 0x18, 0x1a, 0x22, 0x99, undefined].map(memoryTypeName), [
      'DDR',
      'DDR3',
      'DDR4',
      'DDR5',
      'Unknown',
      'Unknown',
    ]);
  });
  it('of structures without a length is not walked', () => {
    assert.deepEqual([...smbiosStructures(Buffer.alloc(64))], []);
  });
  it('has a bounded number of structures', () => {
    const table = Buffer.concat(Array.from({ length: MAX_STRUCTURES + 10 }, () => structure(2, [])));
    assert.equal([...smbiosStructures(table)].length, MAX_STRUCTURES);
  });
  it(`survives any bytes (seed ${seed})`, () => {
    const area = fc.array(fc.nat(255), { maxLength: 60 });
    const texts = fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 5 });
    const table = fc.array(fc.tuple(fc.constantFrom(1, 4, 17, 127, 9), area, texts), { maxLength: 8 });
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(table, fc.nat(2000)).map(([parts, cut]) => {
        const whole = Buffer.concat(parts.map(([type, bytes, strings]) => structure(type, bytes, strings)));
        return new Uint8Array(whole.subarray(0, Math.min(cut, whole.length)));
      }),
    );
    fc.assert(
      fc.property(hostile, fc.nat(4), fc.nat(9), (bytes, major, minor) => {
        const found = decodeSmbios(bytes, { major, minor, revision: 0 });
        assert.ok(found.memoryModules.every((m) => m.sizeMb >= 0 && m.sizeMb <= 0x7fffffff));
      }),
      { seed, numRuns: 10_000 },
    );
  });
});
