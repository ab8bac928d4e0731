import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { BloomeryError, systemClock } from '@bloomery/ports';
import { Command } from 'commander';
import { buildCli } from './build-cli.ts';
import { durationText, parseDuration } from './output/age.ts';
import { runCli } from './run-cli.ts';
import { suggest } from './suggest.ts';
import { collect } from './testing/fake-session.ts';

const dir = mkdtempSync(join(tmpdir(), 'blm-cli-'));
after(() => rmSync(dir, { recursive: true, force: true }));

async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [collect(), collect()];
  const deps = {
    env: { XDG_STATE_HOME: dir, ...env },
    stdout,
    stderr,
    clock: systemClock,
    version: '1.2.3',
    signal: new AbortController().signal,
  };
  return { code: await runCli(buildCli(deps), args, deps), out: stdout.text(), err: stderr.text() };
}

describe('the command line', () => {
  it('prints help and version to standard output and succeeds', async () => {
    const help = await run(['--help']);
    assert.deepEqual([help.code, help.err], [0, '']);
    assert.match(help.out, /^Usage: bloomery/);
    assert.deepEqual(await run(['version', '--client']), {
      code: 0,
      out: `bloomery  1.2.3\nnode      ${process.version}\n`,
      err: '',
    });
  });

  it('answers wrong usage with 2, and nothing on standard output', async () => {
    for (const args of [[], ['get'], ['gte', 'servers'], ['get', '--nonsense'], ['completion', 'tcsh']]) {
      const { code, out, err } = await run(args);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
      assert.match(err, /^error: .*\n(\(.*\)\n)?BLM_CLI_USAGE/);
      assert.match(err, /\ntry: .*\n$/);
    }
  });

  it('leads from wrong usage of a command to the help of that command', async () => {
    assert.match(
      (await run(['config'])).err,
      /missing required argument 'name'\nBLM_CLI_USAGE\ntry: bloomery config --help\n$/,
    );
    assert.match((await run(['gte', 'servers'])).err, /try: bloomery --help\n$/);
  });

  it('says what is wrong with many things once to people, and as a list to programs', async () => {
    const stderr = collect();
    const deps = {
      env: {},
      stdout: collect(),
      stderr,
      clock: systemClock,
      version: '1.2.3',
      signal: AbortSignal.any([]),
    };
    const facts = { problems: ['a is wrong', 'b is wrong'], path: 'machine.yaml' };
    const fail = new Command('load').option('--json').action(() => {
      throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'loading: a is wrong, b is wrong', { facts });
    });
    await runCli(new Command().addCommand(fail), ['load'], deps);
    assert.equal(stderr.text(), 'error: loading: a is wrong, b is wrong\nBLM_TALOS_CONFIG_INVALID path=machine.yaml\n');
    await runCli(new Command().addCommand(fail), ['load', '--json'], deps);
    assert.match(stderr.text(), /"problems":\["a is wrong","b is wrong"\]/);
  });

  it('answers with 6 when there is no manager or it does not answer', async () => {
    const none = await run(['get', 'servers']);
    assert.deepEqual([none.code, none.out], [6, '']);
    assert.match(none.err, /BLM_CLI_NO_MANAGER\ntry: bloomery serve\n$/);
    const config = join(dir, 'kubeconfig');
    const clusters = 'clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]';
    const contexts = 'contexts: [{name: c, context: {cluster: c}}]';
    writeFileSync(config, `${clusters}\n${contexts}\ncurrent-context: c\n`);
    const refused = await run(['get', 'servers', '--json'], { KUBECONFIG: config });
    assert.equal(refused.code, 6);
    assert.equal(JSON.parse(refused.err).error.code, 'BLM_API_UNAVAILABLE');
    mkdirSync(join(dir, 'bloomery'), { recursive: true });
    writeFileSync(join(dir, 'bloomery', 'current'), `${dir}\n`);
    const current = await run(['get', 'servers']);
    assert.match(current.err, /BLM_API_UNAVAILABLE/, 'the data directory of the newest serve is used');
  });

  it('writes a completion script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, out } = await run(['completion', shell]);
      assert.equal(code, 0);
      assert.match(out, /explain/);
    }
  });
});

describe('words for people', () => {
  it('reads and writes durations', () => {
    assert.deepEqual([90_000, 3_600_000, 36_000_000, 0, 90_061_000].map(durationText), [
      '1m30s',
      '1h',
      '10h',
      '0s',
      '1d1h',
    ]);
    assert.deepEqual(['90s', '1h30m', '3d', '', '2 h', '5x'].map(parseDuration), [
      90_000,
      5_400_000,
      259_200_000,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('suggests near names only', () => {
    assert.deepEqual(suggest('srver', ['server', 'servers', 'cluster']), ['server', 'servers']);
    assert.deepEqual(suggest('x', ['server']), []);
  });
});
