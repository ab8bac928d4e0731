import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { loadSigningKey } from './signing-key.ts';

describe('the signing key of a data directory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-sa-key-'));
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('is made once, and nobody else may read it', () => {
    const made = loadSigningKey(dir);
    assert.equal(made.algorithm, 'ES256');
    assert.equal(statSync(join(dir, 'pki', 'sa.key')).mode & 0o777, 0o600);
    assert.equal(loadSigningKey(dir).keyId, made.keyId);
  });

  it('may be an RSA key that an operator brings', () => {
    const own = join(dir, 'own');
    mkdirSync(join(own, 'pki'), { recursive: true });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(own, 'pki', 'sa.key'), privateKey.export({ format: 'pem', type: 'pkcs1' }));
    assert.equal(loadSigningKey(own).algorithm, 'RS256');
  });

  it('is never replaced when it cannot be read: all tokens would be worth nothing', () => {
    const broken = join(dir, 'broken');
    mkdirSync(join(broken, 'pki'), { recursive: true });
    writeFileSync(join(broken, 'pki', 'sa.key'), 'not a key');
    assert.throws(
      () => loadSigningKey(broken),
      (error: unknown) => isBloomeryError(error, 'BLM_API_SIGNING_KEY') && !error.message.includes('not a key'),
    );
  });
});
