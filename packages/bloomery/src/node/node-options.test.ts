import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { type NodeFlags, readNodeOptions } from './node-options.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'node-options-'));
});
after(() => rmSync(dir, { recursive: true }));

const state = { state: '/var/lib/x', cmdline: '' };

describe('flags of `bloomery node`', () => {
  it('have defaults that change as little of a host as may be', () => {
    assert.deepEqual(readNodeOptions({ ...state, hostFiles: 'off' }), {
      stateDir: '/var/lib/x',
      api: { host: '127.0.0.1', port: 50_000 },
      cmdline: '',
      manageAll: false,
      hostFiles: false,
      leave: false,
      dryRun: false,
      graph: false,
      logLevel: 'info',
    });
  });

  it('name files from where one stands', () => {
    const { configFile, stateDir } = readNodeOptions({ cmdline: '', config: 'a.yaml', state: 'b' });
    assert.deepEqual([configFile, stateDir], [resolve('a.yaml'), resolve('b')]);
  });

  const addresses: [text: string, host: string, port: number][] = [
    ['127.0.0.1:50000', '127.0.0.1', 50_000],
    ['[::1]:0', '::1', 0],
    ['node.example:65535', 'node.example', 65_535],
  ];
  for (const [text, host, port] of addresses) {
    it(`take ${text} as address of the API`, () =>
      assert.deepEqual(readNodeOptions({ ...state, api: text }).api, { host, port }));
  }

  it('take kernel arguments as a text, or out of a file', () => {
    const file = join(dir, 'cmdline');
    writeFileSync(file, ' talos.hostname=a ip=dhcp\n');
    assert.equal(readNodeOptions({ state: 'b', cmdline: ' ip=dhcp ' }).cmdline, 'ip=dhcp');
    assert.equal(readNodeOptions({ state: 'b', cmdline: `@${file}` }).cmdline, 'talos.hostname=a ip=dhcp');
  });

  it('take no more of a file of kernel arguments than a kernel would', () => {
    const file = join(dir, 'long');
    writeFileSync(file, 'a'.repeat(1 << 20));
    assert.equal(readNodeOptions({ state: 'b', cmdline: `@${file}` }).cmdline.length, 64 * 1024);
  });

  it('compare UUIDs in lower case', () => {
    const uuid = '4C4C4544-0039-3010-8051-B4C04F4D3132';
    assert.equal(readNodeOptions({ ...state, uuid }).uuid, uuid.toLowerCase());
  });

  it('need no state for the graph of the controllers', () =>
    assert.equal(readNodeOptions({ graph: true }).graph, true));

  const refused: [why: string, flags: NodeFlags, message: string | RegExp][] = [
    ['no state', {}, "--state is missing: the folder that keeps the daemon's configuration and what it must undo"],
    ['an empty state', { state: '' }, '--state is empty: it names a folder'],
    ['an empty state, also for the graph', { state: '', graph: true }, '--state is empty: it names a folder'],
    ['an empty configuration', { ...state, config: '' }, '--config is empty: it names a file'],
    ['what is no UUID', { ...state, uuid: '1234' }, '--uuid 1234: not a UUID'],
    ['another mode of host files', { ...state, hostFiles: 'no' }, '--host-files no: accepted are auto, on, off'],
    ['another level', { ...state, logLevel: 'all' }, '--log-level all: accepted are debug, info, warn, error'],
    ['kernel arguments that are not there', { state: 'b', cmdline: '@/no/such' }, /^--cmdline @\/no\/such: ENOENT/],
    ...['', ':50000', '127.0.0.1', '127.0.0.1:65536', '127.0.0.1:-1', '::1:50000', 'a b:1', '[x]:1'].map(
      (api): [string, NodeFlags, string] => [
        `${api || 'nothing'} as address`,
        { ...state, api },
        `--api ${api}: not HOST:PORT`,
      ],
    ),
  ];
  for (const [why, flags, message] of refused) {
    it(`refuse ${why}, with what to try`, () =>
      assert.throws(
        () => readNodeOptions(flags),
        (error) => {
          assert.ok(isBloomeryError(error, 'BLM_CLI_USAGE'));
          if (typeof message === 'string') assert.equal(error.message, message);
          else assert.match(error.message, message);
          assert.match(String(error.facts['try']), /^bloomery node --/);
          return true;
        },
      ));
  }
});
