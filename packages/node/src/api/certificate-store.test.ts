import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { loadNodeConfig } from '../config/load-node-config.ts';
import { CERTIFICATE_RENEWAL_MS, openCertificateStore } from './certificate-store.ts';

const DAY_MS = 86_400_000;
const config = loadNodeConfig('machine:\n  type: worker\n');
const ENDPOINT = { endpoint: '127.0.0.1', node: '127.0.0.1' };

let stateDir: string;
let clock: FakeClock;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'node-pki-'));
  clock = createFakeClock(Date.now());
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const open = () => openCertificateStore({ stateDir, clock, random, log: silentLog });
const kept = (name: string): string => readFileSync(join(stateDir, 'pki', name), 'utf8');
const endMs = (name: string): number => new X509Certificate(kept(name)).validToDate.getTime();

describe('the certificates of a node', () => {
  it('of administrators hold until they are looked at again, whenever the daemon was started', async () => {
    for (const daysLater of [0, 20, 80, 150, 364]) {
      await clock.advance(daysLater * DAY_MS);
      const store = await open();
      await store.writeTalosconfig(config, ENDPOINT);
      const again = clock.nowMs() + CERTIFICATE_RENEWAL_MS + DAY_MS;
      assert.ok(endMs('admin.crt') > again, `started ${daysLater} days later`);
    }
  });

  it('stay the same while they hold', async () => {
    await (await open()).writeTalosconfig(config, ENDPOINT);
    const before = ['ca.crt', 'ca.key', 'admin.crt', 'admin.key'].map(kept);
    await clock.advance(20 * DAY_MS);
    await (await open()).writeTalosconfig(config, ENDPOINT);
    assert.deepEqual(['ca.crt', 'ca.key', 'admin.crt', 'admin.key'].map(kept), before);
  });

  it('are nobody else’s to read', async () => {
    await (await open()).writeTalosconfig(config, ENDPOINT);
    const modes = ['pki', 'pki/ca.key', 'pki/admin.key', 'talosconfig'].map(
      (file) => statSync(join(stateDir, file)).mode & 0o777,
    );
    assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600]);
  });

  it('are made anew after a crash between a key and its certificate', async () => {
    mkdirSync(join(stateDir, 'pki'));
    writeFileSync(join(stateDir, 'pki', 'ca.key'), 'half');
    await (await open()).writeTalosconfig(config, ENDPOINT);
    assert.match(kept('ca.crt'), /BEGIN CERTIFICATE/);
  });
});
