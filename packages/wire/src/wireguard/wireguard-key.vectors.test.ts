import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatWireguardKey, parseWireguardKey, wireguardKeyHex } from './wireguard-key.ts';

interface KeyCase {
  readonly input: string;
  readonly valid: boolean;
  readonly canonical?: string;
  readonly hex?: string;
}

const file = join(
  process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors'),
  'siderolink/wgkey.json',
);
const skip = existsSync(file) ? false : `${file} does not exist`;

describe('vectors: WireGuard key text', { skip }, () => {
  const cases: readonly KeyCase[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
  for (const [i, c] of cases.entries()) {
    it(`case ${i}: ${JSON.stringify(c.input)}`, () => {
      const key = parseWireguardKey(c.input);
      assert.equal(key !== undefined, c.valid);
      if (key === undefined) return;
      if (c.canonical !== undefined) assert.equal(formatWireguardKey(key), c.canonical);
      if (c.hex !== undefined) assert.equal(wireguardKeyHex(key), c.hex);
    });
  }
});
