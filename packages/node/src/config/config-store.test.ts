import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock, type FakeClock, isBloomeryError, type Logger, silentLog } from '@bloomery/ports';
import { MachineConfig } from '../resources/machine-config.ts';
import { MachineType } from '../resources/machine-type.ts';
import { configControllers } from './config-controllers.ts';
import { type ApplyRequest, type ConfigStore, openConfigStore } from './config-store.ts';

const config = (hostname: string): string => `machine:\n  type: worker\n  network:\n    hostname: ${hostname}\n`;
const hostnameOf = (store: ConfigStore): string | undefined => store.active.machine?.network.hostname;
const persistentOf = (store: ConfigStore): string | undefined => store.persistent.machine?.network.hostname;

let dir: string;
let file: string;
let clock: FakeClock;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-store-'));
  file = join(dir, 'given.yaml');
  clock = createFakeClock(1_700_000_000_000);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const kept = (): string => readFileSync(join(dir, 'config.yaml'), 'utf8');
const open = (log: Logger = silentLog): Promise<ConfigStore> => openConfigStore({ stateDir: dir, file, log }, clock);
const opened = async (hostname: string): Promise<ConfigStore> => {
  writeFileSync(file, config(hostname));
  return open();
};
const apply = (store: ConfigStore, hostname: string, request: Partial<ApplyRequest>) =>
  store.apply({ text: config(hostname), mode: 'auto', ...request });

describe('the configuration to start with', () => {
  it('is the file at the first start, which is kept for its owner only', async () => {
    const store = await opened('a');
    assert.equal(hostnameOf(store), 'a');
    assert.equal(kept(), config('a'));
    assert.equal(statSync(join(dir, 'config.yaml')).mode & 0o777, 0o600);
  });

  it('is the kept one from then on, also without the file, of which it is said that it is missing', async () => {
    const store = await opened('a');
    await apply(store, 'b', {});
    const said: string[] = [];
    const log: Logger = { ...silentLog, warn: (event) => said.push(event), with: () => log };
    assert.equal(hostnameOf(await open(log)), 'b');
    assert.deepEqual(said, []);
    rmSync(file);
    assert.equal(hostnameOf(await open(log)), 'b');
    assert.deepEqual(said, ['config.file_missing']);
    assert.equal(hostnameOf(await openConfigStore({ stateDir: dir, log: silentLog }, clock)), 'b');
  });

  it('is the file again when it has changed since it was taken', async () => {
    await apply(await opened('a'), 'b', {});
    const changed = await opened('c');
    assert.equal(hostnameOf(changed), 'c');
    assert.equal(kept(), config('c'));
    await apply(changed, 'd', {});
    assert.equal(hostnameOf(await open()), 'd');
  });

  it('stays the kept one when the changed file is wrong, which is said', async () => {
    await opened('a');
    writeFileSync(file, 'machine: {x: 1}');
    const said: string[] = [];
    const log: Logger = { ...silentLog, error: (event) => said.push(event), with: () => log };
    const store = await open(log);
    assert.equal(hostnameOf(store), 'a');
    assert.match(store.refusal ?? '', /unknown key/);
    assert.deepEqual(said, ['config.changed_file_refused']);
  });

  it('is the file again when the kept one is damaged, which is said and put aside', async () => {
    await apply(await opened('a'), 'b', {});
    writeFileSync(join(dir, 'config.yaml'), 'machine: {x');
    const said: string[] = [];
    const log: Logger = { ...silentLog, error: (event) => said.push(event), with: () => log };
    assert.equal(hostnameOf(await open(log)), 'a');
    assert.deepEqual(said, ['config.kept_refused']);
    assert.equal(readFileSync(join(dir, 'config.refused.yaml'), 'utf8'), 'machine: {x');
    assert.equal(kept(), config('a'));
  });

  const taken: [name: string, change: () => void, said: string[]][] = [
    ['has changed', () => writeFileSync(file, config('b')), []],
    ['replaces a damaged one', () => writeFileSync(join(dir, 'config.yaml'), 'machine: {x'), ['config.kept_refused']],
  ];
  for (const [name, change, before] of taken) {
    it(`is the file that ${name} also when the disk refuses it, and the next start takes it again`, async () => {
      await apply(await opened('a'), 'applied', {});
      change();
      mkdirSync(join(dir, 'config.yaml.tmp'));
      const said: string[] = [];
      const log: Logger = { ...silentLog, error: (event) => said.push(event), with: () => log };
      const given = readFileSync(file, 'utf8');
      assert.equal((await open(log)).active.text, given);
      assert.deepEqual(said, [...before, 'config.not_kept']);
      rmSync(join(dir, 'config.yaml.tmp'), { recursive: true });
      await open();
      assert.equal(kept(), given);
    });
  }

  it('is none when both are wrong: the error is that of the kept one', async () => {
    await opened('a');
    for (const path of [file, join(dir, 'config.yaml')]) writeFileSync(path, 'machine: {x');
    await assert.rejects(open(), /config\.yaml: /);
  });

  it('is missing when there is neither', async () => {
    await assert.rejects(open(), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_NODE_CONFIG_MISSING'));
      assert.equal(
        error.message,
        `reading the machine configuration: ${join(dir, 'config.yaml')} does not exist and ${file} does not exist`,
      );
      return true;
    });
  });

  it('is refused with its path when the first file is wrong, and nothing is kept', async () => {
    writeFileSync(file, 'machine: {x: 1}');
    await assert.rejects(open(), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID'));
      assert.ok(error.message.startsWith(`${file}: reading machine configuration: `), error.message);
      return true;
    });
    assert.throws(kept, /ENOENT/);
  });
});

describe('applying a configuration', () => {
  it('puts it in force and keeps it, in the modes auto and no-reboot', async () => {
    const store = await opened('a');
    for (const mode of ['auto', 'no-reboot'] as const) {
      const done = await apply(store, mode, { mode });
      assert.deepEqual(done, { mode: 'no-reboot', warnings: [], details: 'Applied configuration without a reboot' });
      assert.deepEqual([hostnameOf(store), persistentOf(store), kept()], [mode, mode, config(mode)]);
    }
  });

  it('keeps a staged one for the next start', async () => {
    const store = await opened('a');
    const { mode, details } = await apply(store, 'b', { mode: 'staged' });
    assert.deepEqual([mode, details], ['staged', 'Staged configuration to be applied after the next reboot']);
    assert.deepEqual([hostnameOf(store), persistentOf(store)], ['a', 'b']);
    assert.equal(hostnameOf(await open()), 'b');
  });

  it('refuses to reboot the host, and names what to do', async () => {
    const store = await opened('a');
    await assert.rejects(apply(store, 'b', { mode: 'reboot' }), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_NODE_APPLY_REBOOT'));
      assert.match(error.message, /staged/);
      return true;
    });
  });

  it('changes nothing when it is refused', async () => {
    const store = await opened('a');
    await assert.rejects(store.apply({ text: 'machine: {x: 1}', mode: 'auto' }), /unknown key/);
    await assert.rejects(store.apply({ text: 'x', mode: 'auto' }), /BLM|mapping|document/);
    await assert.rejects(
      store.apply({ text: 'apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n', mode: 'auto' }),
      /the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead\?/,
    );
    assert.deepEqual([hostnameOf(store), kept()], ['a', config('a')]);
  });

  it('may leave out the v1alpha1 document in maintenance', async () => {
    const text = 'apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n';
    writeFileSync(file, text);
    const store = await open();
    assert.ok(store.isInMaintenance);
    await store.apply({ text: text.replace('hostname: a', 'hostname: b'), mode: 'auto' });
    assert.ok(store.isInMaintenance);
    await apply(store, 'c', {});
    assert.ok(!store.isInMaintenance);
  });

  it('shows only what would change in a dry run', async () => {
    const store = await opened('a');
    const { mode, details } = await apply(store, 'b', { dryRun: true });
    assert.equal(mode, 'no-reboot');
    assert.equal(
      details,
      `Dry run summary:
Applied configuration without a reboot (skipped in dry-run).
Config diff:

--- a
+++ b
@@ -1,4 +1,4 @@
 machine:
     type: worker
     network:
-        hostname: a
+        hostname: b
`,
    );
    assert.deepEqual([hostnameOf(store), kept()], ['a', config('a')]);
  });

  it('shows no secrets to who may not see them', async () => {
    const store = await opened('a');
    const text = `${config('a')}  token: abcdef.0123456789\n`;
    const { details } = await store.apply({ text, mode: 'auto', dryRun: true, hideSecrets: true });
    assert.match(details, /\n\+ {4}token: "\*{6}"\n/);
  });

  it('says so when a dry run would change nothing but form', async () => {
    const store = await opened('a');
    const text = `# a comment\n${config('a').replaceAll('  ', '    ')}`;
    const { details } = await store.apply({ text, mode: 'staged', dryRun: true });
    assert.equal(
      details,
      'Dry run summary:\nStaged configuration to be applied after the next reboot (skipped in dry-run).\nConfig diff:\n\nNo changes.',
    );
  });

  it('happens one at a time', async () => {
    const store = await opened('a');
    const first = apply(store, 'b', {});
    await assert.rejects(apply(store, 'c', {}), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_NODE_APPLY_BUSY'));
      assert.equal(error.message, 'another apply configuration is already in progress');
      return true;
    });
    await first;
    await apply(store, 'd', {});
    assert.equal(hostnameOf(store), 'd');
  });

  it('happens one at a time, and is the same, with a large one', async () => {
    const store = await opened('a');
    const large = config('b') + '# A comment of a configuration that is read aside.\n'.repeat(2_000);
    const first = apply(store, 'b', { text: large });
    await assert.rejects(apply(store, 'c', {}), (error) => isBloomeryError(error, 'BLM_NODE_APPLY_BUSY'));
    await first;
    assert.deepEqual([hostnameOf(store), kept()], ['b', large]);
    await apply(store, 'd', {});
    assert.equal(hostnameOf(store), 'd');
  });

  it('is given up when the daemon stops while a large one is read', async () => {
    const store = await opened('a');
    const large = config('b') + '# A comment of a configuration that is read aside.\n'.repeat(2_000);
    const reading = apply(store, 'b', { text: large });
    store.stop();
    await assert.rejects(reading, (error) => isBloomeryError(error, 'BLM_NODE_APPLY_BUSY'));
    assert.deepEqual([hostnameOf(store), kept()], ['a', config('a')]);
  });

  it('is refused whole when the disk refuses it', async () => {
    const store = await opened('a');
    mkdirSync(join(dir, 'config.yaml.tmp'));
    await assert.rejects(apply(store, 'b', {}), (error) => isBloomeryError(error, 'BLM_NODE_CONFIG_UNWRITABLE'));
    assert.equal(hostnameOf(store), 'a');
  });

  it('is told a moment later, so that the answer gets out first', async () => {
    const store = await opened('a');
    let told = 0;
    const end = store.watch(() => {
      told += 1;
    });
    await apply(store, 'b', {});
    await clock.advance(99);
    assert.equal(told, 0);
    await clock.advance(1);
    assert.equal(told, 1);
    end();
    await apply(store, 'c', {});
    await clock.advance(1_000);
    assert.equal(told, 1);
  });
});

describe('a tried configuration', () => {
  it('is in force until its time is over, a minute unless said otherwise', async () => {
    const store = await opened('a');
    const { mode, details } = await apply(store, 'b', { mode: 'try' });
    assert.equal(mode, 'try');
    assert.equal(
      details,
      "Applied configuration without a reboot\nThe config is applied in 'try' mode and will be automatically reverted back in 1m0s",
    );
    assert.deepEqual([hostnameOf(store), persistentOf(store), kept()], ['b', 'a', config('a')]);
    await clock.advance(59_999);
    assert.equal(hostnameOf(store), 'b');
    await clock.advance(1);
    assert.equal(hostnameOf(store), 'a');
  });

  it('gives way to the last confirmed one, also after a second trial', async () => {
    const store = await opened('a');
    await apply(store, 'b', { mode: 'try', tryTimeoutMs: 6_000 });
    await clock.advance(4_000);
    await apply(store, 'c', { mode: 'try', tryTimeoutMs: 6_000 });
    await clock.advance(5_999);
    assert.equal(hostnameOf(store), 'c');
    await clock.advance(1);
    assert.equal(hostnameOf(store), 'a');
  });

  it('gives way to what was applied for good before it, not to what was staged', async () => {
    const store = await opened('a');
    await apply(store, 'b', {});
    await apply(store, 'c', { mode: 'staged' });
    await apply(store, 'd', { mode: 'try' });
    await clock.advance(60_000);
    assert.deepEqual([hostnameOf(store), persistentOf(store)], ['b', 'c']);
  });

  it('stays when it is applied for good in time', async () => {
    const store = await opened('a');
    await apply(store, 'b', { mode: 'try' });
    await apply(store, 'b', {});
    await clock.advance(120_000);
    assert.deepEqual([hostnameOf(store), kept()], ['b', config('b')]);
  });

  it('is not kept by a configuration that is refused or only looked at', async () => {
    const store = await opened('a');
    await apply(store, 'b', { mode: 'try' });
    await assert.rejects(store.apply({ text: 'machine: {x: 1}', mode: 'no-reboot' }));
    await apply(store, 'b', { dryRun: true });
    await clock.advance(60_000);
    assert.equal(hostnameOf(store), 'a');
  });

  it('is forgotten by a restart', async () => {
    await apply(await opened('a'), 'b', { mode: 'try' });
    assert.equal(hostnameOf(await open()), 'a');
  });

  it('has a time that makes sense', async () => {
    const store = await opened('a');
    for (const tryTimeoutMs of [0, -1, 25 * 3_600_000, Number.NaN]) {
      await assert.rejects(apply(store, 'b', { mode: 'try', tryTimeoutMs }), /more than 0 s and at most 24 h/);
    }
    assert.equal(hostnameOf(store), 'a');
  });
});

describe('configurations as resources', () => {
  it('are the one in force and the kept one, with the type of the machine', async () => {
    const store = await opened('a');
    await using runtime = startTestRuntime(configControllers(store), { clock });
    const shown = (): (string | undefined)[] =>
      ['v1alpha1', 'persistent'].map((id) => runtime.specs(MachineConfig)[id]?.machine?.network.hostname);
    await runtime.settled();
    assert.deepEqual(shown(), ['a', 'a']);
    assert.deepEqual(runtime.specs(MachineType), { 'machine-type': 'worker' });
    await apply(store, 'b', { mode: 'try', tryTimeoutMs: 5_000 });
    await runtime.advance(1_000);
    assert.deepEqual(shown(), ['b', 'a']);
    await runtime.advance(5_000);
    assert.deepEqual(shown(), ['a', 'a']);
    await apply(store, 'c', { mode: 'staged' });
    await runtime.advance(1_000);
    assert.deepEqual(shown(), ['a', 'c']);
  });

  it('tell no type of a machine in maintenance', async () => {
    writeFileSync(file, 'apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n');
    await using runtime = startTestRuntime(configControllers(await open()), { clock });
    await runtime.settled();
    assert.deepEqual(runtime.specs(MachineType), {});
  });
});
