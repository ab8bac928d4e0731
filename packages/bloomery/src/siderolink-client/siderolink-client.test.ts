import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SiderolinkNodeStatus } from '@bloomery/siderolink';
import { machineUuid } from '../machine-state/machine-uuid.ts';
import { openMetaFile } from '../machine-state/meta-file.ts';
import { lockStateDir } from '../machine-state/state-lock.ts';
import { createPrinter } from './client-command.ts';
import { type ClientFlags, readClientSettings } from './client-settings.ts';
import { hostAddresses } from './host-addresses.ts';

describe('bloomery siderolink-client', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-client-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };

  const document = 'apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://doc:1\nuniqueToken: t\n';
  const others =
    '---\napiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[fd00::1]:4002"\n---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: a\nurl: tcp://[fd00::1]:4001\n';
  const cmdline = 'siderolink.api=arg:1 talos.events.sink=[fd00::2]:4002 talos.logging.kernel=udp://h:1';

  it('takes documents before kernel arguments, and adds their log destinations', () => {
    assert.deepEqual(readClientSettings({ config: file('both', document + others), cmdline }), {
      api: 'grpc://doc:1',
      uniqueToken: 't',
      eventSink: '[fd00::1]:4002',
      kernelLogDestinations: ['udp://h:1', 'tcp://[fd00::1]:4001'],
      mode: 'auto',
    });
  });
  it('takes kernel arguments alone, also from a file', () => {
    const want = { api: 'arg:1', eventSink: '[fd00::2]:4002', kernelLogDestinations: ['udp://h:1'], mode: 'kernel' };
    assert.deepEqual(readClientSettings({ cmdline, wireguard: 'kernel' }), want);
    assert.deepEqual(readClientSettings({ cmdline: `@${file('cmdline', cmdline)}`, wireguard: 'kernel' }), want);
  });
  it('takes flags before all', () => {
    const flags = { api: 'https://flag', events: '[fd00::3]:1', kernelLog: ['tcp://h:2'], cmdline };
    assert.deepEqual(readClientSettings(flags), {
      api: 'https://flag',
      eventSink: '[fd00::3]:1',
      kernelLogDestinations: ['tcp://h:2'],
      mode: 'auto',
    });
  });
  it('goes on with the kernel arguments when the configuration is broken, and knows why', () => {
    const broken = readClientSettings({ config: file('broken', 'a: [1'), cmdline });
    assert.equal(broken.api, 'arg:1');
    assert.equal(broken.configError?.stage, 'load');
    const invalid = readClientSettings({
      config: file('invalid', 'apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: http://x\n'),
      cmdline,
    });
    assert.equal(invalid.configError?.stage, 'validate');
    assert.match(invalid.configError?.message ?? '', /apiUrl scheme must be https:\/\/ or grpc:\/\//);
  });

  const wrong: readonly [string, ClientFlags, RegExp][] = [
    ['no API anywhere', { cmdline: 'quiet' }, /no --api, and the kernel arguments name none/],
    ['two sources', { api: 'h:1', config: 'x', cmdline: '' }, /--api and --config exclude each other/],
    [
      'an unknown backend',
      { api: 'h:1', wireguard: 'off', cmdline: '' },
      /--wireguard off is none of auto, kernel, userspace/,
    ],
    ['a missing file', { config: '/nowhere', cmdline: '' }, /--config: .*\/nowhere/],
    ['a missing file of arguments', { cmdline: '@/nowhere' }, /--cmdline: .*\/nowhere/],
    [
      'a sink that is none',
      { api: 'h:1', events: 'fd00::1', cmdline: '' },
      /where events go, "fd00::1": it is not HOST:PORT/,
    ],
    ['an API that is none', { api: 'grpc://', cmdline: '' }, /it has no host/],
  ];
  for (const [title, flags, message] of wrong) {
    it(`refuses ${title}`, () => assert.throws(() => readClientSettings(flags), message));
  }
  it('refuses a broken configuration where nothing else names an API', () => {
    assert.throws(
      () => readClientSettings({ config: file('broken', 'a: [1'), cmdline: '' }),
      /reading the machine configuration/,
    );
  });

  it('keeps META values over restarts, for its owner only', () => {
    const path = join(dir, 'deep/er/meta.json');
    const meta = openMetaFile(path);
    assert.equal(meta.get('0x10'), undefined);
    meta.set('0x10', 'token');
    meta.set('0xf', 'uuid');
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { '0x10': 'token', '0xf': 'uuid' });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(openMetaFile(path).get('0x10'), 'token');
  });
  for (const text of ['', '{', '[1]', 'null', '{"0xf":1}']) {
    it(`does not make new META values where ${JSON.stringify(text)} stands`, () => {
      assert.throws(() => openMetaFile(file('meta.json', text)), /meta\.json: .*; put it back from a backup/);
    });
  }

  it('uses a folder alone', async () => {
    const folder = join(dir, 'locked');
    {
      using _first = await lockStateDir(folder, 'siderolink-client');
      await assert.rejects(
        lockStateDir(folder, 'siderolink-client'),
        /another siderolink-client runs on it; stop that one, or give --state/,
      );
      using _other = await lockStateDir(join(dir, 'other'), 'siderolink-client');
    }
    using _again = await lockStateDir(folder, 'siderolink-client');
  });

  it('is who META says, else the firmware, else somebody new who stays', () => {
    const meta = (name: string) => openMetaFile(join(dir, name));
    const firmware = file('product_uuid', '6B121F82-24A8-4611-9D23-FA1A5BA564F0\n');
    assert.equal(machineUuid(meta('a'), firmware), '6b121f82-24a8-4611-9d23-fa1a5ba564f0');
    for (const text of [
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
      'Not Settable',
    ]) {
      const made = machineUuid(meta(text), file('none', text));
      assert.match(made, /^[0-9a-f]{8}-/);
      assert.equal(machineUuid(meta(text), firmware), made);
    }
    assert.match(machineUuid(meta('b'), '/nowhere'), /^[0-9a-f-]{36}$/);
  });

  it('reports addresses without loopback, link-local and SideroLink ones', () => {
    for (const address of hostAddresses()) assert.doesNotMatch(address, /^(127\.|::1$|fe80|169\.254)|\//);
  });

  it('prints each change once, for people and as JSON', () => {
    const lines: string[] = [];
    const down: SiderolinkNodeStatus = { connected: false, host: 'h', linkName: '', grpcTunnel: false };
    const made = {
      ...down,
      linkName: 'siderolink',
      nodeAddress: 'fd00::2/64',
      serverAddress: 'fd00::1',
      endpoint: 'h:1',
    };
    const up = { ...made, connected: true, lastHandshakeMs: 1_700_000_000_000 };
    const print = createPrinter(false, (line) => lines.push(line));
    const states = [down, { ...down, lastError: 'why' }, made, up, { ...up, lastHandshakeMs: 1_700_000_100_000 }];
    for (const status of states) print(status, 'uuid');
    print({ ...up, grpcTunnel: true }, 'uuid');
    assert.deepEqual(lines, [
      'down  joining the link of h as uuid',
      'down  why',
      "down  siderolink fd00::2/64: waiting for the server's WireGuard",
      'up    siderolink fd00::2/64, server fd00::1, by UDP h:1',
      'up    siderolink fd00::2/64, server fd00::1, through the tunnel of h',
    ]);
    const json: string[] = [];
    createPrinter(true, (line) => json.push(line))(up, 'uuid');
    assert.deepEqual(JSON.parse(json[0] ?? ''), {
      uuid: 'uuid',
      connected: true,
      host: 'h',
      linkName: 'siderolink',
      grpcTunnel: false,
      nodeAddress: 'fd00::2/64',
      serverAddress: 'fd00::1',
      endpoint: 'h:1',
      lastHandshake: '2023-11-14T22:13:20.000Z',
    });
  });
});
