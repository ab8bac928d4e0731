import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ApiObject, asApiObject, openStore, type Store, writeBackup } from '@bloomery/kubeapi';
import { ANNOTATIONS, type JsonObject } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { holdFreeServers, SERVER_BINDINGS, SERVERS } from './hold-servers.ts';
import { type RestoreOptions, type RestoreResult, restore } from './restore.ts';
import { report } from './restore-command.ts';

const clock = createFakeClock(Date.parse('2026-02-03T04:05:06Z'));
const random = (length: number): Uint8Array => randomBytes(length);
const open = (dir: string): Store => openStore({ dir, clock, log: silentLog, random });

async function put(store: Store, resource: string, name: string, more: JsonObject = {}): Promise<void> {
  await store.put({ resource, namespace: '', name }, (resourceVersion) =>
    asApiObject({ apiVersion: 'v1', kind: 'Any', metadata: { name, resourceVersion }, ...more }),
  );
}

describe('a restore', () => {
  let home: string;
  let dir: string;
  let file: string;
  const into = (more: Partial<RestoreOptions> = {}): Promise<RestoreResult> =>
    restore({ file, dir, force: false, clock, log: silentLog, random, ...more });
  async function writeTestBackup(
    files = [{ name: 'pki/ca.key', content: Buffer.from('from the backup') }],
  ): Promise<void> {
    const store = open(join(home, 'source'));
    await put(store, SERVERS, 'free', { spec: { accepted: true } });
    await put(store, SERVERS, 'used', { spec: { accepted: true } });
    await put(store, SERVERS, 'stranger', { spec: { accepted: false } });
    await put(store, SERVER_BINDINGS, 'used');
    const pieces: Uint8Array[] = [];
    for await (const piece of writeBackup({ store, files, version: '1', time: '2026-01-01T00:00:00Z' }).bytes)
      pieces.push(piece);
    writeFileSync(file, Buffer.concat(pieces));
    await store.close();
  }
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'bloomery-restore-'));
    dir = join(home, 'data');
    file = join(home, 'backup');
    await writeTestBackup();
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('makes a data directory, private to its owner', async () => {
    const { aside, store } = await into();
    assert.deepEqual([aside, store.objects], [undefined, 4]);
    assert.deepEqual(readdirSync(dir).sort(), ['pki', 'store.db', 'store.key', 'store.mark']);
    assert.equal(readFileSync(join(dir, 'pki/ca.key'), 'utf8'), 'from the backup');
    for (const name of ['', 'pki', 'pki/ca.key', 'store.db', 'store.key', 'store.mark'])
      assert.equal(statSync(join(dir, name)).mode & 0o077, 0, name);
    const restored = open(dir);
    assert.equal(restored.list(SERVERS).length, 3);
    await restored.close();
  });

  it('parks the servers that may have been given away since, and no others', async () => {
    const { held } = await into();
    assert.deepEqual(held, ['free']);
    const store = open(dir);
    const marks = store.list(SERVERS).map((o) => [o.metadata.name, o.metadata.annotations?.[ANNOTATIONS.boundTo]]);
    await store.close();
    assert.deepEqual(marks, [
      ['free', 'restored-backup'],
      ['stranger', undefined],
      ['used', undefined],
    ]);
  });

  it('refuses a directory that is not empty, and with --force keeps what it replaces', async () => {
    mkdirSync(join(dir, 'env/default'), { recursive: true });
    mkdirSync(join(dir, 'pki'));
    writeFileSync(join(dir, 'env/default/vmlinuz'), 'asset');
    writeFileSync(join(dir, 'pki/ca.key'), 'old');
    writeFileSync(join(dir, 'store.db'), 'damaged');
    writeFileSync(join(dir, 'boot-sessions.jsonl'), 'old');
    await assert.rejects(into(), { code: 'BLM_RESTORE_REFUSED', message: /it is not empty \(.*\); with --force/ });
    assert.equal(readFileSync(join(dir, 'store.db'), 'utf8'), 'damaged');

    const { aside = '' } = await into({ force: true });
    assert.equal(aside, join(dir, 'before-restore-20260203T040506_000Z'));
    assert.deepEqual(readdirSync(aside).sort(), ['boot-sessions.jsonl', 'pki', 'store.db']);
    assert.equal(readFileSync(join(aside, 'pki/ca.key'), 'utf8'), 'old');
    assert.equal(readFileSync(join(dir, 'pki/ca.key'), 'utf8'), 'from the backup');
    assert.equal(readFileSync(join(dir, 'env/default/vmlinuz'), 'utf8'), 'asset', 'assets stay');
    await open(dir).close();
  });

  it('refuses the directory of a running plane, also with --force', async () => {
    const running = open(dir);
    await put(running, 'things', 'a');
    await assert.rejects(into({ force: true }), {
      code: 'BLM_RESTORE_REFUSED',
      message: /a running plane uses it; stop it first/,
    });
    await put(running, 'things', 'b');
    await running.close();
  });

  it('replaces nothing when the backup is damaged', async () => {
    await open(dir).close();
    const before = readFileSync(join(dir, 'store.key'), 'utf8');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 200));
    await assert.rejects(into({ force: true }), { code: 'BLM_BACKUP_INVALID' });
    assert.deepEqual(readdirSync(dir).sort(), ['store.db', 'store.key', 'store.mark']);
    assert.equal(readFileSync(join(dir, 'store.key'), 'utf8'), before);
  });

  it('writes no file outside of its directory, whatever a backup names', async () => {
    for (const name of ['../evil', '/etc/evil', 'pki/../../evil', 'pki/a/b', 'store.key']) {
      rmSync(join(home, 'source'), { recursive: true });
      await writeTestBackup([{ name, content: Buffer.from('x') }]);
      await assert.rejects(
        into(),
        { code: 'BLM_BACKUP_INVALID', message: /it holds a file .*, which is none of a plane/ },
        name,
      );
    }
    assert.deepEqual([existsSync(join(home, 'evil')), existsSync(join(dir, 'store.db'))], [false, false]);
  });

  it('that was interrupted keeps the plane from starting, and can be done again', async () => {
    await into();
    writeFileSync(join(dir, 'restore.unfinished'), '');
    rmSync(join(dir, 'store.db'));
    assert.throws(() => open(dir), { code: 'BLM_RESTORE_UNFINISHED' });
    await into({ force: true });
    const store = open(dir);
    assert.equal(store.list(SERVERS).length, 3);
    await store.close();
  });

  it('tells what an operator must know', async () => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'store.key'), 'old');
    const result = await into({ force: true });
    assert.deepEqual(report(result, '/data'), [
      '/data: 4 objects and 1 files as of 2026-01-01T00:00:00Z, revision 5; it goes on at revision 10000000006',
      `What was there before is in ${result.aside}`,
      'Everything that was changed after the backup is gone: objects made since are missing, deleted ones are back.',
      '1 Servers were free in the backup and may have been given away since. They are Parked: nothing wipes or allocates them until you confirm.',
      '  free',
      '  look at each machine, then, if it may be wiped: kubectl annotate server NAME bloomery.dev/bound-to-',
      'next: bloomery serve --data /data',
    ]);
  });
});

describe('the hold of servers after a restore', () => {
  const server = (more: JsonObject, annotations = {}): ApiObject =>
    asApiObject({
      apiVersion: 'v1',
      kind: 'Server',
      metadata: { name: 's', resourceVersion: '3', annotations },
      ...more,
    });
  const cases: [name: string, resource: string, object: ApiObject, isHeld: boolean][] = [
    ['an accepted one without a binding is held', SERVERS, server({ spec: { accepted: true } }), true],
    ['one that nobody accepted is not: nothing wipes it', SERVERS, server({ spec: {} }), false],
    ['one without a spec is not', SERVERS, server({}), false],
    [
      'one that is held already stays as it is',
      SERVERS,
      server({ spec: { accepted: true } }, { [ANNOTATIONS.boundTo]: 'u' }),
      false,
    ],
    ['an object of another kind is not', 'machines', server({ spec: { accepted: true } }), false],
  ];
  for (const [name, resource, object, isHeld] of cases)
    it(name, () => assert.equal(holdFreeServers(new Set())(resource, object) !== undefined, isHeld));
  it('one with a binding is not', () =>
    assert.equal(holdFreeServers(new Set(['s']))(SERVERS, server({ spec: { accepted: true } })), undefined));
});
