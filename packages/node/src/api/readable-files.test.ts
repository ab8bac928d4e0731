import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { grpcStatusOf } from '@bloomery/grpc';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { type ConfigStore, openConfigStore } from '../config/config-store.ts';
import { listReadable, readReadable } from './readable-files.ts';

describe('files that may be read', () => {
  let root: string;
  let store: ConfigStore;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'readable-'));
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/real'), 'nameserver 127.0.0.53\n');
    writeFileSync(join(root, 'etc/shadow'), 'secret');
    symlinkSync('real', join(root, 'etc/resolv.conf'));
    writeFileSync(join(root, 'given.yaml'), 'machine: {type: worker}\n');
    const sources = { stateDir: root, file: join(root, 'given.yaml'), log: silentLog };
    store = await openConfigStore(sources, createFakeClock(0));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const text = async (path: string): Promise<string> => Buffer.from(await readReadable(path, store, root)).toString();
  const status = (path: string): Promise<string> =>
    readReadable(path, store, root).then(
      () => 'OK',
      (error: unknown) => grpcStatusOf(error),
    );

  it('are those that the daemon writes, and the configuration', async () => {
    assert.equal(await text('/etc/resolv.conf'), 'nameserver 127.0.0.53\n');
    assert.equal(await text('/system/state/config.yaml'), 'machine: {type: worker}\n');
    assert.equal(await text('/etc//./resolv.conf'), 'nameserver 127.0.0.53\n');
  });

  it('are no others', async () => {
    for (const path of ['/etc/shadow', '/etc/../etc/shadow', 'etc/hosts', '', '/', '/system/state/../state']) {
      assert.equal(await status(path), 'PERMISSION_DENIED', path);
    }
  });

  it('may be missing, and must be files', async () => {
    assert.equal(await status('/etc/hosts'), 'NOT_FOUND');
    mkdirSync(join(root, 'etc/hosts'));
    assert.equal(await status('/etc/hosts'), 'INTERNAL');
  });

  it('are listed in their folders', () => {
    const names = (path: string): string[] | undefined => listReadable(path)?.map(({ name }) => name);
    assert.deepEqual(names('/'), ['/', '/etc', '/system']);
    assert.deepEqual(names('/etc/'), ['/etc', '/etc/hosts', '/etc/resolv.conf']);
    assert.deepEqual(names(''), ['/', '/etc', '/system']);
    assert.deepEqual(names('/system'), ['/system', '/system/state']);
    assert.deepEqual(names('/etc/hosts'), ['/etc/hosts']);
    assert.equal(names('/root'), undefined);
  });
});
