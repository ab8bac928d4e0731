import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** Runs in a mount namespace of its own, where etc/resolv.conf is a bind mount as in a container. */
const STEPS = `
import { readFileSync } from 'node:fs';
import { createHostFileKeeper } from ${JSON.stringify(join(import.meta.dirname, 'host-file-keeper.ts'))};
const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
const [root, stateDir] = process.argv.slice(1);
const keeper = createHostFileKeeper({ root, stateDir, enabled: true, log });
const text = () => readFileSync(root + '/etc/resolv.conf', 'utf8');
await keeper.write('/etc/resolv.conf', 'nameserver 127.0.0.53\\n');
const during = text();
await keeper.restore();
console.log(JSON.stringify({ during, after: text() }));
`;

it('a bind-mounted resolv.conf is written in place and put back', {
  skip: canUnshare ? false : 'needs root for a mount namespace',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'blm-bind-'));
  try {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/resolv.conf'), '');
    writeFileSync(join(folder, 'outside.conf'), 'nameserver 192.0.2.1\n# a comment that is longer than ours\n');
    const out = execFileSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        `mount --bind "$1" "$2" && shift 2 && exec "$@"`,
        'sh',
        join(folder, 'outside.conf'),
        join(root, 'etc/resolv.conf'),
        ...[process.execPath, '--input-type=module', '-e', STEPS, root, join(folder, 'state')],
      ],
      { encoding: 'utf8' },
    );
    assert.deepEqual(JSON.parse(out), {
      during: 'nameserver 127.0.0.53\n',
      after: 'nameserver 192.0.2.1\n# a comment that is longer than ours\n',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
