import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, isBloomeryError, type Logger, silentLog } from '@bloomery/ports';
import { createCertificateAuthority } from '@bloomery/talos';
import { adminKubeconfig } from './credentials.ts';
import { type LiveCredentials, startCredentials } from './renew-credentials.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');
/** Rarer than in earnest: there are years to go through. */
const LOOK_MS = DAY / 2;
const endOf = (pem: string): number => new X509Certificate(pem).validToDate.getTime();

describe('credentials of a running API', () => {
  let dir: string;
  let clock: FakeClock;
  let names: string[];
  let logged: string[];
  let live: LiveCredentials | undefined;
  const log: Logger = { ...silentLog, warn: (event) => logged.push(event), error: (event) => logged.push(event) };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-credentials-'));
    clock = createFakeClock(START);
    names = ['localhost', '127.0.0.1'];
    logged = [];
  });
  afterEach(() => {
    live?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const start = async (clientCaFile?: string): Promise<LiveCredentials> => {
    live = await startCredentials({ dir, names: () => names, clientCaFile, lookMs: LOOK_MS }, { clock, log });
    return live;
  };
  /** Certificates are made on other threads: virtual time must wait for them. */
  async function until(condition: () => boolean, stepMs = LOOK_MS): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!condition()) {
      assert.ok(Date.now() < deadline, 'it did not come true in 20 s');
      await clock.advance(stepMs);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it('a key that is damaged, or of another certificate, is made anew with its certificate', async () => {
    const { adminKeyPem, caPem } = (await start()).current;
    live?.stop();
    for (const wrong of ['garbage', '', adminKeyPem]) {
      writeFileSync(join(dir, 'pki/server.key'), wrong);
      const { certificatePem, keyPem, caPem: sameCa } = (await start()).current;
      live?.stop();
      assert.ok(new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem)));
      assert.equal(sameCa, caPem);
      assert.notEqual(keyPem, adminKeyPem);
    }
  });

  it('are files that nobody else can read', async () => {
    await start();
    for (const file of readdirSync(join(dir, 'pki')))
      assert.equal(statSync(join(dir, 'pki', file)).mode & 0o777, 0o600, file);
  });

  it('are renewed in time for years, with no gap and no restart', async () => {
    const credentials = await start();
    const { caPem } = credentials.current;
    const seen: string[] = [];
    credentials.onReplaced((next) => seen.push(next.certificatePem));
    while (seen.length < 5) {
      const before = seen.length;
      const due =
        Math.min(endOf(credentials.current.certificatePem), endOf(credentials.current.adminCertificatePem)) - 90 * DAY;
      // Until then nothing is made; then both are.
      await clock.advance(Math.max(0, due - clock.nowMs() - 2 * LOOK_MS));
      assert.equal(seen.length, before);
      await until(() => seen.length > before);
      for (const pem of [credentials.current.certificatePem, credentials.current.adminCertificatePem]) {
        assert.ok(endOf(pem) - clock.nowMs() > 300 * DAY);
        assert.equal(new X509Certificate(pem).verify(new X509Certificate(caPem).publicKey), true);
      }
    }
    assert.ok(clock.nowMs() - START > 3.5 * 365 * DAY);
    assert.equal(credentials.current.caPem, caPem);
    assert.deepEqual(logged, []);
    const kubeconfig = adminKubeconfig(credentials.current, 'https://127.0.0.1:6443');
    assert.ok(kubeconfig.includes(Buffer.from(credentials.current.adminCertificatePem).toString('base64')));
    assert.equal(readFileSync(join(dir, 'pki', 'server.crt'), 'utf8'), credentials.current.certificatePem);
  });

  it('get the names that the host has now', async () => {
    const credentials = await start();
    const before = credentials.current;
    names = [...names, '192.0.2.7'];
    await until(() => credentials.current !== before);
    assert.equal(new X509Certificate(credentials.current.certificatePem).checkIP('192.0.2.7'), '192.0.2.7');
    assert.equal(credentials.current.adminCertificatePem, before.adminCertificatePem);
  });

  it('follow an authority that an operator puts there', async () => {
    const credentials = await start();
    const before = credentials.current;
    const other = await createCertificateAuthority({
      subject: { commonName: 'new' },
      algorithm: 'ecdsa-p256',
      notBefore: new Date(START - DAY),
      notAfter: new Date(START + 4000 * DAY),
    });
    writeFileSync(join(dir, 'pki', 'ca.key'), other.keyPem);
    writeFileSync(join(dir, 'pki', 'ca.crt'), other.certificatePem);
    await until(() => credentials.current !== before);
    const { publicKey } = new X509Certificate(other.certificatePem);
    for (const pem of [credentials.current.certificatePem, credentials.current.adminCertificatePem])
      assert.equal(new X509Certificate(pem).verify(publicKey), true);
  });

  it('warn half a year before the authority ends, once a day, and make nothing that outlives it', async () => {
    const credentials = await start();
    assert.deepEqual(credentials.warnings(), []);
    const authorityEnd = credentials.current.caNotAfterMs;
    credentials.stop();
    clock = createFakeClock(authorityEnd - 181 * DAY);
    const late = await start();
    assert.deepEqual([late.warnings(), logged], [[], []]);
    assert.equal(endOf(late.current.certificatePem), Math.floor(authorityEnd / 1000) * 1000);
    await until(() => logged.length >= 3);
    const days = 181 - (authorityEnd - clock.nowMs()) / DAY;
    assert.ok(days >= 3 && days < 4, `${days} days for three warnings`);
    assert.match(late.warnings().join(), /ends on 2035-12-30.*replace-the-certificate-authority/);
    // Its last certificates are not made again each hour although little is left of them.
    const { certificatePem } = late.current;
    await clock.advance(170 * DAY);
    assert.equal(late.current.certificatePem, certificatePem);
  });

  it('reach everybody who follows them, also when somebody cannot take them', async () => {
    const credentials = await start();
    const seen: string[] = [];
    credentials.onReplaced(() => {
      throw new RangeError('the key does not fit');
    });
    credentials.onReplaced((next) => seen.push(next.certificatePem));
    names = [...names, 'plane.example'];
    await until(() => seen.length > 0);
    assert.deepEqual(seen, [credentials.current.certificatePem]);
    assert.deepEqual(logged, ['api.credentials-not-taken']);
  });

  it('stay as they are while a file cannot be read, and say so', async () => {
    const credentials = await start();
    const before = credentials.current;
    writeFileSync(join(dir, 'pki', 'ca.key'), 'broken');
    await until(() => logged.includes('api.credentials-not-renewed'));
    assert.equal(credentials.current, before);
  });

  it('believe the authorities of an operator, and refuse a file that holds none', async () => {
    const file = join(dir, 'clients.pem');
    writeFileSync(file, 'nothing');
    await assert.rejects(start(file), (error: unknown) => isBloomeryError(error, 'BLM_API_CLIENT_CA'));
    const other = await createCertificateAuthority({
      subject: { commonName: 'clients' },
      algorithm: 'ecdsa-p256',
      notBefore: new Date(START - DAY),
      notAfter: new Date(START + DAY),
    });
    writeFileSync(file, other.certificatePem);
    const { current } = await start(file);
    assert.deepEqual(current.clientCaPems, [current.caPem, other.certificatePem]);
  });

  it('are looked after no more when that is stopped', async () => {
    const credentials = await start();
    const before = credentials.current;
    credentials.stop();
    await clock.advance(400 * DAY);
    assert.equal(credentials.current, before);
  });

  it('an authority that was lost is made anew with a warning, a damaged one ends the start by its name', async () => {
    (await start()).stop();
    writeFileSync(join(dir, 'kubeconfig'), '');
    rmSync(join(dir, 'pki', 'ca.key'));
    (await start()).stop();
    assert.deepEqual(logged, ['api.authority-made-anew']);
    writeFileSync(join(dir, 'pki', 'ca.key'), 'garbage');
    await assert.rejects(
      start(),
      (error) => isBloomeryError(error, 'BLM_API_AUTHORITY') && error.message.includes(join(dir, 'pki', 'ca.key')),
    );
  });
});
