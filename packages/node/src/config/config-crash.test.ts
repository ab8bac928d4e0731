import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { openConfigStore } from './config-store.ts';

const config = (hostname: string): string => `machine:\n  type: worker\n  network:\n    hostname: ${hostname}\n`;

/** Opens the store, applies `hostname` when it is given, and kills itself at the step. */
const CRASHER = `
import { createFakeClock, silentLog } from '@bloomery/ports';
import { openConfigStore } from '${new URL('./config-store.ts', import.meta.url).href}';
const [stateDir, file, step, text] = process.argv.slice(1);
const atStep = (at) => { if (at === step) process.kill(process.pid, 'SIGKILL'); };
const armed = text === '' ? { atStep } : { get atStep() { return isOpen ? atStep : undefined; } };
let isOpen = false;
const store = await openConfigStore(Object.create(armed, Object.getOwnPropertyDescriptors({ stateDir, file, log: silentLog })), createFakeClock(0));
isOpen = true;
if (text !== '') await store.apply({ text, mode: 'no-reboot' });
`;

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-crash-'));
  file = join(dir, 'given.yaml');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function crash(step: string, text = ''): void {
  const args = ['--input-type=module', '-e', CRASHER, '--', dir, file, step, text];
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname });
  assert.equal(signal, 'SIGKILL', stderr);
}

const open = () => openConfigStore({ stateDir: dir, file, log: silentLog }, createFakeClock(0));
const STEPS = ['opened', 'written', 'synced', 'renamed', 'done'];

describe('a daemon that is killed', () => {
  for (const step of ['seed', 'config'].flatMap((part) => STEPS.map((at) => `${part}-${at}`))) {
    it(`at ${step} of its first start begins with the file again`, async () => {
      writeFileSync(file, config('a'));
      crash(step);
      writeFileSync(file, config('b'));
      const { active } = await open();
      assert.equal(active.machine?.network.hostname, 'b');
      assert.equal(readFileSync(join(dir, 'config.yaml'), 'utf8'), config('b'));
    });

    it(`at ${step} of taking a changed file has taken it at the next start`, async () => {
      writeFileSync(file, config('a'));
      await open();
      writeFileSync(file, config('b'));
      crash(step);
      const { active } = await open();
      assert.equal(active.machine?.network.hostname, 'b');
    });
  }

  for (const step of STEPS) {
    it(`at ${step} of applying a configuration has the old one or the new one, whole`, async () => {
      writeFileSync(file, config('a'));
      await open();
      crash(`config-${step}`, config('b'));
      const { active } = await open();
      const isNew = step === 'renamed' || step === 'done';
      assert.equal(active.machine?.network.hostname, isNew ? 'b' : 'a');
    });
  }
});

describe('a file that the disk refuses', () => {
  it('is named, and what stood there stays alone', () => {
    writeFileSync(file, 'before');
    const durableFile = new URL('./durable-file.ts', import.meta.url).href;
    const script = `await (await import('${durableFile}')).writeDurably(process.argv[1], 'after', 0o600).catch((error) => console.log(error.message))`;
    const full = 'trap "" XFSZ; ulimit -f 0; exec "$@"';
    const args = ['-c', full, 'sh', process.execPath, '--input-type=module', '-e', script, file];
    const { stdout } = spawnSync('sh', args, { encoding: 'utf8' });
    assert.equal(stdout, `EFBIG: file too large, write '${file}'\n`);
    assert.equal(readFileSync(file, 'utf8'), 'before');
    assert.deepEqual(readdirSync(dir), ['given.yaml']);
  });
});
