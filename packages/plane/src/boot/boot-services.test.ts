import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { EventDraft, ObjectCache } from '@bloomery/kube';
import type { KindRef, KubeObject } from '@bloomery/model';
import { hostPort, silentLog, systemClock } from '@bloomery/ports';
import {
  DHCP_MESSAGE,
  DHCP_OPTION,
  type DhcpPacket,
  decodeDhcp,
  dhcpText,
  encodeDhcp,
  readDhcpText,
} from '@bloomery/wire';
import type { TimelineDraft } from '../insight/index.ts';
import { type BootServices, startBootServices } from './boot-services.ts';
import { memorySessionStore } from './boot-session-file.ts';
import { createBootSessions } from './boot-session-registry.ts';

const NAME = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const GUID = Buffer.from('00821f126ba82411469d23fa1a5ba564f0', 'hex');
const MAC = '52:54:00:77:00:01';

const discover: DhcpPacket = {
  op: 1,
  htype: 1,
  hops: 0,
  xid: 7,
  secs: 0,
  flags: 0,
  ciaddr: '0.0.0.0',
  yiaddr: '0.0.0.0',
  siaddr: '0.0.0.0',
  giaddr: '0.0.0.0',
  chaddr: Buffer.from('525400770001', 'hex'),
  sname: '',
  file: '',
  options: new Map<number, Uint8Array>([
    [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(DHCP_MESSAGE.DISCOVER)],
    [DHCP_OPTION.CLIENT_ARCH, Uint8Array.of(0, 0)],
    [DHCP_OPTION.USER_CLASS, dhcpText('iPXE')],
    [DHCP_OPTION.CLIENT_GUID, GUID],
  ]),
};

describe('the boot services together', () => {
  const dir = mkdtempSync(join(tmpdir(), 'boot-services-'));
  const objects = new Map<string, unknown>();
  const put = (kind: string, name: string, spec: object, status: object = {}): void => {
    objects.set(`${kind} ${name}`, { apiVersion: 'v1', kind, metadata: { name }, spec, status });
  };
  const cache: ObjectCache = {
    get: <T extends KubeObject>(kind: KindRef<T>, key: { name: string }) =>
      objects.get(`${kind.kind} ${key.name}`) as T,
    list: () => [],
  };
  const events: EventDraft[] = [];
  const marks: TimelineDraft[] = [];
  const sessions = createBootSessions({
    clock: systemClock,
    random: (length) => new Uint8Array(length).fill(1),
    store: memorySessionStore,
  });
  let services: BootServices;
  let base: string;

  before(async () => {
    put('Server', NAME, { accepted: true });
    put('ServerBinding', NAME, {});
    put('Environment', 'default', { kernel: { args: ['x=1'] } });
    put('Environment', 'own', { kernel: { args: ['talos.config=http://else/'] } });
    mkdirSync(join(dir, 'images'));
    mkdirSync(join(dir, 'elsewhere'));
    writeFileSync(join(dir, 'elsewhere/vmlinuz'), 'agent kernel');
    writeFileSync(join(dir, 'elsewhere/.vmlinuz.json'), 'private');
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'images/agent-amd64'));
    mkdirSync(join(dir, 'loaders'));
    writeFileSync(join(dir, 'loaders/snponly.efi'), 'snp');
    services = await startBootServices(
      {
        listen: { host: '127.0.0.1', port: 0 },
        tftpListen: { host: '127.0.0.1', port: 0 },
        dhcpListen: { host: '127.0.0.1', port: 0 },
        advertise: { host: '127.0.0.1' },
        dataDir: dir,
        loaders: join(dir, 'loaders'),
        agentImages: join(dir, 'images'),
        bootFromDiskMethod: 'ipxe-exit',
        extraAgentKernelArgs: [],
        insecureMetadata: false,
      },
      {
        cache,
        events: { record: (_about, event) => events.push(event) },
        timeline: { record: (draft) => marks.push(draft) },
        sessions,
        serverName: (uuid) => uuid || undefined,
        linkAddress: () => undefined,
        routes: (endpoint) => [{ prefix: '/configdata', handle: () => ({ status: 200, body: hostPort(endpoint) }) }],
        services: () => [],
        log: silentLog,
        clock: systemClock,
      },
    );
    base = `http://${hostPort(services.endpoint)}`;
  });
  after(async () => {
    await services[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });
  const get = async (path: string): Promise<readonly [number, string]> => {
    const answer = await fetch(base + path);
    return [answer.status, await answer.text()];
  };
  const ask = async (): Promise<string> => (await get(`/ipxe?uuid=${NAME}&mac=52-54-00-77-00-01&arch=x86_64`))[1];

  it('tell machines the port that was really bound', async () => {
    assert.notEqual(services.endpoint.port, 0);
    assert.deepEqual(await get('/configdata?uuid=x'), [200, hostPort(services.endpoint)]);
    const [, script] = await get('/boot.ipxe');
    assert.ok(script.startsWith('#!ipxe\n') && script.includes(`http://${hostPort(services.endpoint)}/ipxe?uuid=`));
    assert.ok(script.length < 1_000);
    assert.equal((await get('/tftp/some/folder/autoexec.ipxe'))[1], script);
  });
  it('give no token before a boot is expected, and say so', async () => {
    const script = await ask();
    assert.match(script, /talos\.config=http:\/\/127\.0\.0\.1:\d+\/configdata\?uuid= /);
    assert.equal(events.find((event) => event.reason === 'ConfigRefused')?.type, 'Warning');
    assert.ok(marks.some((mark) => mark.event === 'ConfigRefused'));
  });
  it('give a token after DHCP was seen and answered', async () => {
    assert.ok(services.dhcp !== undefined);
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.send(encodeDhcp(discover), services.dhcp.port, '127.0.0.1');
    const [bytes] = await once(socket, 'message');
    socket.close();
    const reply = decodeDhcp(bytes);
    const file = readDhcpText(reply.options.get(DHCP_OPTION.BOOT_FILE) ?? new Uint8Array());
    assert.equal(file, `${base}/boot.ipxe`);
    assert.match(await ask(), /\/configdata\?t=AQEBAQEBAQEBAQEBAQEBAQ&uuid= /);
    assert.equal(sessions.checkConfig(NAME, 'AQEBAQEBAQEBAQEBAQEBAQ', '127.0.0.1').ok, true);
    const about = { mac: MAC, server: NAME };
    assert.deepEqual(marks.find((mark) => mark.event === 'DhcpSeen')?.about, about);
    assert.deepEqual(marks.find((mark) => mark.event === 'BootOffered')?.about, about);
    assert.ok(events.some((event) => event.reason === 'BootOffered'));
  });
  it('leave the argument of an Environment that brings its own, and let the address decide', async () => {
    put('Server', NAME, { accepted: true, environmentRef: { name: 'own' } });
    assert.match(await ask(), /kernel \/env\/own\/vmlinuz {2}talos\.config=http:\/\/else\/ siderolink\.api=/);
    assert.equal(sessions.checkConfig(NAME, undefined, '127.0.0.1').ok, true);
    assert.equal(sessions.checkConfig(NAME, undefined, '127.0.0.2').ok, false);
  });
  it('send the agent with a token to machines that are not allocated', async () => {
    objects.delete(`ServerBinding ${NAME}`);
    assert.match(await ask(), / sidero\.mac=52:54:00:77:00:01 sidero\.endpoint=127\.0\.0\.1:\d+ sidero\.token=AQEB/);
  });
  it('serve agent images, also through a link, but nothing hidden or outside', async () => {
    assert.deepEqual(await get('/env/agent-amd64/vmlinuz'), [200, 'agent kernel']);
    const refused = ['agent-amd64/.vmlinuz.json', 'agent-arm64/vmlinuz', 'default/vmlinuz', '..%2f..%2fetc/passwd', ''];
    for (const path of refused) assert.equal((await get(`/env/${path}`))[0], 404, path);
  });
  it('serve loaders under the names that are offered, by TFTP path and HTTP, and name those that are missing', async () => {
    assert.deepEqual(await get('/tftp/snp.efi'), [200, 'snp']);
    assert.deepEqual(await get('/tftp//snp.efi'), [200, 'snp']);
    const head = await fetch(`${base}/tftp/snp.efi`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, '3']);
    assert.ok(services.missingLoaders.includes('snp-arm64.efi'));
    assert.equal((await get('/tftp/snp-arm64.efi'))[0], 404);
  });
});
