import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatByteSize, parseByteSize } from './byte-size.ts';

const sizes: readonly [text: string, written: string | bigint | undefined][] = [
  ['10GB', '10 GB'],
  ['1.5 gb', '1.5 GB'],
  ['1GiB', 1_073_741_824n],
  ['5', 5n],
  ['1000', '1.0 kB'],
  ['1500', 1500n],
  ['1TB', '1.0 TB'],
  ['1,024 KB', 1_024_000n],
  ['', undefined],
  ['GB', undefined],
  ['5 parsecs', undefined],
  ['1e3', undefined],
];

describe('sizes as Talos writes them', () => {
  for (const [text, written] of sizes) {
    it(JSON.stringify(text), () => {
      const read = parseByteSize(text);
      assert.equal(read === undefined ? undefined : formatByteSize(read), written);
    });
  }
});
