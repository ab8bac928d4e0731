import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { formatGoDuration, parseGoDuration } from './go-duration.ts';

const durations: readonly [text: string, written: string | undefined][] = [
  ['1h', '1h0m0s'],
  ['90m', '1h30m0s'],
  ['1.5s', '1.5s'],
  ['1500ms', '1.5s'],
  ['250us', '250µs'],
  ['7ns', '7ns'],
  ['-1m30s', '-1m30s'],
  ['0', '0s'],
  ['', undefined],
  ['5', undefined],
  ['1 s', undefined],
  ['1h-1s', undefined],
  ['9999999999h', undefined],
];

describe("durations as Go's time package has them", () => {
  for (const [text, written] of durations) {
    it(JSON.stringify(text), () => {
      const read = parseGoDuration(text);
      assert.equal(read === undefined ? undefined : formatGoDuration(read), written);
    });
  }
});

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
