import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LinkAnnotation } from '../annotations.ts';
import { createLineWriter } from './annotated-line.ts';
import { createObjectScanner } from './object-scanner.ts';

interface Case {
  readonly name: string;
  readonly annotation?: LinkAnnotation;
  readonly chunksHex: readonly string[];
  readonly output: readonly string[];
  readonly upstreamClosesConnection?: boolean;
  readonly upstreamPanics?: boolean;
}

const file = fileURLToPath(new URL('../../../../../test/vectors/siderolink/serverlogs.json', import.meta.url));
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] };

function linesOf({ annotation, chunksHex }: Case, withShortCut: boolean): readonly string[] {
  const writer = createLineWriter(annotation);
  const lines: string[] = [];
  const take = (line: string | undefined): boolean => {
    if (line !== undefined) lines.push(`${line}\n`);
    return line !== undefined;
  };
  const scanner = createObjectScanner({
    object: (bytes) => void take(writer.lineOf(bytes)),
    dropped() {},
    ...(withShortCut ? { line: (bytes, from, to) => take(writer.lineOfPlain(bytes, from, to)) } : {}),
  });
  for (const hex of chunksHex) scanner.push(Buffer.from(hex, 'hex'));
  scanner.end();
  return lines;
}

describe('lines of the upstream receiver', () => {
  for (const one of cases) {
    for (const withShortCut of [true, false]) {
      it(`are the same: ${one.name}${withShortCut ? '' : ', without the short cut'}`, () => {
        const lines = linesOf(one, withShortCut);
        // Upstream gives the stream up at what it does not understand: only what came before is given.
        const isCut = one.upstreamClosesConnection === true || one.upstreamPanics === true;
        assert.deepEqual(isCut ? lines.slice(0, one.output.length) : lines, one.output);
      });
    }
  }

  it('go on behind what upstream does not understand', () => {
    const malformed = cases.find(({ name }) => name === 'malformed then good');
    assert.ok(malformed);
    assert.deepEqual(linesOf(malformed, true), ['{"a":1}\n', '{"b":2}\n']);
  });
});
