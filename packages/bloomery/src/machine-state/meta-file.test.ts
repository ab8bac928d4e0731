import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { openMetaFile } from './meta-file.ts';

describe('a file of META values that cannot be read', () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'meta-file-'));
    file = join(dir, 'meta.json');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const refusal = (): string => {
    try {
      openMetaFile(file);
    } catch (error) {
      assert.ok(isBloomeryError(error, 'BLM_LINK_CONFIG_INVALID'));
      return error.message;
    }
    assert.fail('it was read');
  };

  it('is refused with its name', () => {
    mkdirSync(file);
    assert.match(refusal(), /meta\.json: EISDIR/);
  });

  // A token of a machine is a secret: it is as good as its certificate.
  for (const text of ['secret-token', '{"0x10": "secret-token"', '{"0x10": "secret-token"}}', '["secret-token"]']) {
    it(`is refused without quoting it: ${text}`, () => {
      writeFileSync(file, text);
      assert.match(refusal(), /meta\.json: it is not (JSON|an object of texts); put it back from a backup/);
      assert.doesNotMatch(refusal(), /secret|-token/);
    });
  }
});
