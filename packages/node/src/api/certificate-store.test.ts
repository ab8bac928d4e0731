import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, type Logger, silentLog } from '@bloomery/ports';
import { readPrivateKey } from '@bloomery/talos';
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

  /** What talosctl would find: an administrator's certificate with its key, of an authority that it believes. */
  const assertTalosconfigWorks = (): void => {
    const text = readFileSync(join(stateDir, 'talosconfig'), 'utf8');
    const [ca = '', crt = '', key = ''] = ['ca', 'crt', 'key'].map((name) =>
      Buffer.from(new RegExp(`^ +${name}: (.+)$`, 'm').exec(text)?.[1] ?? '', 'base64').toString(),
    );
    const client = new X509Certificate(crt);
    assert.ok(client.checkPrivateKey(readPrivateKey(key)));
    assert.ok(client.verify(new X509Certificate(ca).publicKey));
    assert.ok(new X509Certificate(ca).validToDate.getTime() > clock.nowMs());
  };

  for (const name of ['ca.crt', 'ca.key', 'admin.crt', 'admin.key']) {
    for (const [what, damage] of [
      ['empty', () => ''],
      ['rubbish', () => 'rubbish'],
      ['of another one', () => kept(name.startsWith('ca') ? name.replace('ca', 'admin') : name.replace('admin', 'ca'))],
    ] as const) {
      it(`are made anew, which is said, when ${name} is ${what}`, async () => {
        await (await open()).writeTalosconfig(config, ENDPOINT);
        writeFileSync(join(stateDir, 'pki', name), damage());
        const said: string[] = [];
        const log: Logger = { ...silentLog, warn: (event) => said.push(event) };
        const store = await openCertificateStore({ stateDir, clock, random, log });
        await store.writeTalosconfig(config, ENDPOINT);
        assertTalosconfigWorks();
        assert.deepEqual(said, ['talos_api.certificate_damaged']);
        said.length = 0;
        await (await openCertificateStore({ stateDir, clock, random, log })).writeTalosconfig(config, ENDPOINT);
        assert.deepEqual(said, []);
      });
    }
  }

  it('hold also when the clock of the host is set long after the start', async () => {
    clock = createFakeClock(0);
    const store = await open();
    await store.writeTalosconfig(config, ENDPOINT);
    await clock.advance(56 * 365 * DAY_MS);
    const server = await store.issue(config, ['node']);
    await store.writeTalosconfig(config, ENDPOINT);
    assertTalosconfigWorks();
    assert.ok(new X509Certificate(server.crt).verify(new X509Certificate(server.ca).publicKey));
    assert.ok(new X509Certificate(server.ca).validToDate.getTime() > clock.nowMs());
  });

  it('are made anew after a crash between a key and its certificate', async () => {
    mkdirSync(join(stateDir, 'pki'));
    writeFileSync(join(stateDir, 'pki', 'ca.key'), 'half');
    await (await open()).writeTalosconfig(config, ENDPOINT);
    assert.match(kept('ca.crt'), /BEGIN CERTIFICATE/);
  });
});
