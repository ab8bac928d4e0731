import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** What stands before the steps of a test: they run in a mount namespace of their own, below a folder. */
const HEAD = `
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHostFileKeeper } from ${JSON.stringify(join(import.meta.dirname, 'host-file-keeper.ts'))};
const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
const [folder] = process.argv.slice(1);
const [root, file] = [folder + '/root', folder + '/root/etc/resolv.conf'];
const keeper = createHostFileKeeper({ root, stateDir: folder + '/state', enabled: true, log });
const write = () => keeper.write('/etc/resolv.conf', 'nameserver 127.0.0.53\\n');
const text = () => readFileSync(file, 'utf8');
`;

describe('files of a host', { skip: canUnshare ? false : 'needs root for a mount namespace' }, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blm-mounts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What the steps printed as JSON. @param mount a command line of the shell with the folder as `$1`. */
  const run = (mount: string, steps: string): unknown => {
    const node = [process.execPath, '--input-type=module', '-e', `${HEAD}${steps}`, folder];
    const args = ['--mount', 'sh', '-c', `${mount} && shift && exec "$@"`, 'sh', folder, ...node];
    return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }));
  };

  it('that are bind mounts are written in place and put back', () => {
    mkdirSync(join(folder, 'root/etc'), { recursive: true });
    writeFileSync(join(folder, 'root/etc/resolv.conf'), '');
    writeFileSync(join(folder, 'outside.conf'), 'nameserver 192.0.2.1\n# a comment that is longer than ours\n');
    const steps = `
      await write();
      const during = text();
      await keeper.restore();
      console.log(JSON.stringify({ during, after: text() }));`;
    assert.deepEqual(run('mount --bind "$1/outside.conf" "$1/root/etc/resolv.conf"', steps), {
      during: 'nameserver 127.0.0.53\n',
      after: 'nameserver 192.0.2.1\n# a comment that is longer than ours\n',
    });
  });

  it('stay as they are while the disk is full, and are put back all the same', () => {
    const steps = `
      mkdirSync(root + '/etc', { recursive: true });
      writeFileSync(file, 'nameserver 192.0.2.1\\n');
      const filling = [];
      const fill = () => {
        try {
          for (;;) {
            filling.push(folder + '/fill' + filling.length);
            writeFileSync(filling.at(-1), Buffer.alloc(4096));
          }
        } catch (error) {
          return error.code;
        }
      };
      const full = fill();
      const refused = await write().then(() => 'written', (error) => error.message.includes('ENOSPC'));
      const before = text();
      for (const one of filling.splice(0)) rmSync(one);
      await write();
      const during = text();
      fill();
      await keeper.restore();
      console.log(JSON.stringify({ full, refused, before, during, after: text() }));`;
    assert.deepEqual(run('mount -t tmpfs -o size=128k none "$1"', steps), {
      full: 'ENOSPC',
      refused: true,
      before: 'nameserver 192.0.2.1\n',
      during: 'nameserver 127.0.0.53\n',
      after: 'nameserver 192.0.2.1\n',
    });
  });
});
