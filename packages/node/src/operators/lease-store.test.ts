import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type LogFields, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import { openLeaseStore, type StoredLease } from './lease-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'leases-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.json`);
const lease = (byte: number, more: Partial<StoredLease> = {}): StoredLease => ({
  endsMs: 1_700_000_000_000,
  message: Uint8Array.of(byte),
  ...more,
});
const open = (file: string) => openLeaseStore(file, silentLog);

describe('leases on disk', () => {
  it('are there again after a restart, whole, and for nobody but the owner of the daemon', async () => {
    const file = newFile();
    const name = { hostname: 'node-7', domainname: 'lab' };
    const leases: [id: string, lease: StoredLease][] = [
      ['dhcp4/eth0', lease(1, { hostname: name })],
      ['dhcp6/eth0', lease(2)],
      ['dhcp4/eth1', lease(3, { endsMs: undefined })],
    ];
    const store = open(file);
    for (const [id, one] of leases) store.memoryOf(id, 'me').save(one);
    await store.settled();
    const again = open(file);
    for (const [id, one] of leases) assert.deepEqual(again.memoryOf(id, 'me').load(), one);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('are nothing to another holder: a card with another address, another client identifier', () => {
    const store = open(newFile());
    store.memoryOf('dhcp4/eth0', 'me').save(lease(1));
    assert.equal(store.memoryOf('dhcp4/eth0', 'you').load(), undefined);
    assert.equal(store.memoryOf('dhcp4/eth1', 'me').load(), undefined);
  });

  it('are forgotten on disk as well', async () => {
    const file = newFile();
    const store = open(file);
    const memory = store.memoryOf('dhcp4/eth0', 'me');
    memory.save(lease(1));
    memory.forget();
    await store.settled();
    assert.equal(readFileSync(file, 'utf8'), '{}\n');
  });

  it('nothing is written where nothing is remembered', async () => {
    const file = newFile();
    const store = open(file);
    store.memoryOf('dhcp4/eth0', 'me').forget();
    await store.settled();
    assert.throws(() => statSync(file), { code: 'ENOENT' });
  });

  it('many at once are all written, the last of each', async () => {
    const file = newFile();
    const store = open(file);
    for (let round = 0; round < 20; round++) {
      for (let link = 0; link < 10; link++) store.memoryOf(`dhcp4/eth${link}`, 'me').save(lease(round));
      if (round % 5 === 0) await store.settled();
    }
    await store.settled();
    const again = open(file);
    for (let link = 0; link < 10; link++) {
      assert.deepEqual(again.memoryOf(`dhcp4/eth${link}`, 'me').load()?.message, Uint8Array.of(19));
    }
  });

  it('are at most 1,024: the one that was written first goes', () => {
    const store = open(newFile());
    for (let link = 0; link <= 1_024; link++) store.memoryOf(`dhcp4/eth${link}`, 'me').save(lease(1));
    assert.equal(store.memoryOf('dhcp4/eth0', 'me').load(), undefined);
    assert.notEqual(store.memoryOf('dhcp4/eth1', 'me').load(), undefined);
  });

  it('a disk that refuses them is said, and the lease is known all the same', async () => {
    const said: (readonly [event: string, problem: unknown])[] = [];
    const log = {
      ...silentLog,
      warn: (event: string, fields?: LogFields) => void said.push([event, fields?.['problem']]),
    };
    const store = openLeaseStore(join(folder, 'no-such-folder', 'leases.json'), log);
    const memory = store.memoryOf('dhcp4/eth0', 'me');
    memory.save(lease(1));
    await store.settled();
    assert.deepEqual([said.length, said[0]?.[0], memory.load()], [1, 'dhcp.leases-unwritten', lease(1)]);
  });

  it('what is no lease in the file is left out, whatever it is', () => {
    const file = newFile();
    const good = { holder: 'me', endsMs: null, message: 'Bw==' };
    const bad = [
      null,
      1,
      'x',
      [],
      { ...good, holder: 1 },
      { ...good, endsMs: 'x' },
      { ...good, hostname: { hostname: 1 } },
    ];
    writeFileSync(file, JSON.stringify({ good, ...bad }));
    const store = open(file);
    assert.deepEqual(store.memoryOf('good', 'me').load(), { endsMs: undefined, message: Uint8Array.of(7) });
    for (const id of bad.keys()) assert.equal(store.memoryOf(`${id}`, 'me').load(), undefined);
  });

  it('any file is survived', () => {
    const file = newFile();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        writeFileSync(file, text);
        assert.equal(open(file).memoryOf('dhcp4/eth0', 'me').load(), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
