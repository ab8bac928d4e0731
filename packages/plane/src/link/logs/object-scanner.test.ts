import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLineWriter } from './annotated-line.ts';
import { MAX_DEPTH } from './json-syntax.ts';
import { createObjectScanner, type DropReason } from './object-scanner.ts';

interface Found {
  readonly objects: readonly string[];
  readonly dropped: readonly DropReason[];
}

function scan(chunks: readonly (string | Buffer)[], maxBytes?: number): Found {
  const objects: string[] = [];
  const dropped: DropReason[] = [];
  const scanner = createObjectScanner(
    { object: (bytes) => objects.push(bytes.toString('latin1')), dropped: (reason) => dropped.push(reason) },
    maxBytes,
  );
  for (const chunk of chunks) scanner.push(Buffer.from(chunk as string));
  scanner.end();
  return { objects, dropped };
}

const cases: [name: string, stream: string, objects: string[], dropped?: DropReason[]][] = [
  ['lines', '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ['objects without newlines between them', '{"a":1}{"b":2} {"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']],
  ['blank lines and other line ends', '\n\r\n \t\n{"a":1}\r\n\n{"b":2}', ['{"a":1}', '{"b":2}']],
  ['pretty printing', '{\n  "a": [\n    1,\n    2\n  ]\n}\n{}', ['{\n  "a": [\n    1,\n    2\n  ]\n}', '{}']],
  ['braces and quotes in strings', '{"a":"}{\\"]\\\\"}\n{"b":2}', ['{"a":"}{\\"]\\\\"}', '{"b":2}']],
  [
    'every kind of value',
    '{"a":[true,false,null,-0.5e+1,0,{}],"":"\\u00e9\\b"}',
    ['{"a":[true,false,null,-0.5e+1,0,{}],"":"\\u00e9\\b"}'],
  ],
  ['a line that is none', '{"a":1}\nnot json\n{"b":2}\n', ['{"a":1}', '{"b":2}'], ['malformed']],
  ['rubbish behind an object', '{"a":1} and {"c":3}\n{"b":2}\n', ['{"a":1}', '{"b":2}'], ['malformed']],
  ['values that are no objects', 'null\n1\n"x"\n[{"a":1}]\n{"b":2}', ['{"b":2}'], Array(4).fill('malformed')],
  ['an error inside an object', '{"a":x{"c":1}}\n{"b":2}', ['{"b":2}'], ['malformed']],
  ['a string that its line ends', '{"a":"unfinished\n{"b":2}\n', ['{"b":2}'], ['malformed']],
  [
    'numbers that are none',
    '{"a":01}\n{"a":1.}\n{"a":.5}\n{"a":+1}\n{"a":1e}\n{"a":-}\n{"b":2}',
    ['{"b":2}'],
    Array(6).fill('malformed'),
  ],
  ['literals that are none', '{"a":nul}\n{"a":truE}\n{"a":fals\n{"b":2}', ['{"b":2}'], Array(3).fill('malformed')],
  [
    'commas and colons out of place',
    '{,}\n{"a":1,}\n{"a"1}\n{"a":[1,]}\n{"a":[}\n{1:1}\n{"b":2}',
    ['{"b":2}'],
    Array(6).fill('malformed'),
  ],
  ['bad escapes', '{"a":"\\x"}\n{"a":"\\u12g4"}\n{"b":2}', ['{"b":2}'], Array(2).fill('malformed')],
  ['a tail that broke off', '{"a":1}\n{"b":', ['{"a":1}'], ['incomplete']],
  ['a tail without newline', '{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
  ['nothing', '', []],
];

describe('a stream of objects', () => {
  for (const [name, stream, objects, dropped = []] of cases) {
    it(`is taken apart: ${name}`, () => assert.deepEqual(scan([stream]), { objects, dropped }));
    it(`is taken apart byte by byte: ${name}`, () => assert.deepEqual(scan(stream.split('')), { objects, dropped }));
  }

  it('goes on behind an object that is too large', () => {
    const large = `{"a":"${'x'.repeat(200)}"}\n{"b":2}\n`;
    const found: Found = { objects: ['{"b":2}'], dropped: ['too_large'] };
    for (const size of [1, 7, 64, 1000]) {
      assert.deepEqual(scan(large.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [], 100), found);
    }
    const justFits = `{"a":"${'x'.repeat(92)}"}`;
    assert.equal(justFits.length, 100);
    assert.deepEqual(scan([justFits], 100), { objects: [justFits], dropped: [] });
    assert.deepEqual(scan([...justFits], 100), { objects: [justFits], dropped: [] });
  });

  it('is bounded in depth', () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
    assert.equal(scan([nested(MAX_DEPTH)]).objects.length, 1);
    assert.deepEqual(scan([`${nested(MAX_DEPTH + 1)}\n{"b":2}`]), { objects: ['{"b":2}'], dropped: ['malformed'] });
  });

  it('drops an object that nobody lends memory for, and gives back all it was lent', () => {
    let lent = 0;
    const dropped: DropReason[] = [];
    const objects: string[] = [];
    const scanner = createObjectScanner({
      object: (bytes) => objects.push(bytes.toString()),
      dropped: (reason) => dropped.push(reason),
      hold(byBytes) {
        if (lent + byBytes > 2000) return false;
        lent += byBytes;
        return true;
      },
    });
    for (let i = 0; i < 100; i++) scanner.push(Buffer.from(i === 0 ? '{"a":"' : 'x'.repeat(100)));
    scanner.push(Buffer.from('"}\n{"b":'));
    assert.ok(lent > 0);
    scanner.push(Buffer.from('2}\n{"c'));
    scanner.end();
    assert.deepEqual(
      { lent, dropped, objects },
      { lent: 0, dropped: ['no_memory', 'incomplete'], objects: ['{"b":2}'] },
    );
  });

  for (const piece of ['{', '[', '{"a":', '{"a":{"a":', '"', '\\', '{"a":"', '{}', '\n', '-', '{"a":1,', ' ']) {
    it(`of a MiB of ${JSON.stringify(piece)} is over at once`, () => {
      const bytes = Buffer.from(piece.repeat(2 ** 20 / piece.length));
      for (const size of [17, 65_536]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const { objects } = scan([...chunks, '\n{"b":2}\n']);
        assert.equal(objects.at(-1), '{"b":2}');
      }
    });
  }
});

/** Text of which much is nearly an object. */
const nearly = fc
  .array(
    fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc
        .dictionary(fc.string({ maxLength: 8 }), fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double()))
        .map((o) => JSON.stringify(o)),
      fc.constantFrom(
        '\n',
        '{',
        '}',
        '"',
        '\\',
        '{"clock":1,"msg":"m\\n"}\n',
        '{"msg":"<ü>"}\n',
        ' ',
        'null',
        ',',
        ':',
        '[',
        '{"a":1}x\n',
      ),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

/** All that a receiver would write, and what it would count. */
function linesOf(chunks: readonly Buffer[], withShortCut: boolean): readonly (string | undefined)[] {
  const writer = createLineWriter({ server_uuid: 'u', cluster: 'c' });
  const out: (string | undefined)[] = [];
  const scanner = createObjectScanner(
    {
      object: (bytes) => out.push(writer.lineOf(bytes)),
      dropped: (reason) => out.push(`dropped: ${reason}`),
      ...(withShortCut
        ? {
            line(bytes, from, to) {
              const line = writer.lineOfPlain(bytes, from, to);
              return line !== undefined && out.push(line) > 0;
            },
          }
        : {}),
    },
    120,
  );
  for (const chunk of chunks) scanner.push(chunk);
  scanner.end();
  return out;
}

describe('any stream', () => {
  it('gives the same lines however it is cut, with and without the short cut', () => {
    fc.assert(
      fc.property(nearly, fc.array(fc.nat(400), { maxLength: 12 }), (bytes, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        const whole = linesOf([bytes], false);
        assert.deepEqual(linesOf(chunks, false), whole);
        assert.deepEqual(linesOf(chunks, true), whole);
        assert.deepEqual(linesOf([bytes], true), whole);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives objects that are objects, and never the annotations of another', () => {
    fc.assert(
      fc.property(nearly, (bytes) => {
        for (const line of linesOf([bytes], true)) {
          if (line === undefined || line.startsWith('dropped: ')) continue;
          const { server_uuid, cluster } = JSON.parse(line);
          assert.deepEqual([server_uuid, cluster], ['u', 'c']);
          assert.doesNotMatch(line, /[\n<>&\u2028\u2029]/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('may be random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000, size: 'max' }), (bytes) => {
        const { objects } = scan([Buffer.from(bytes), '\n{"b":2}']);
        assert.equal(objects.at(-1), '{"b":2}');
      }),
    );
  });
});
