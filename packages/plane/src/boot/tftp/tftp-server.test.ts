import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Service, silentLog, systemClock } from '@bloomery/ports';
import { decodeTftp, encodeTftp, type TftpOptions, type TftpPacket } from '@bloomery/wire';
import fc from 'fast-check';
import { createAssetCache } from '../asset-cache.ts';
import { createBootFiles } from '../boot-files.ts';
import { startTftpServer } from './tftp-server.ts';

const CONTENT = Buffer.alloc(200_000);
for (let i = 0; i < CONTENT.length; i++) CONTENT[i] = (i * 31 + (i >> 8)) & 0xff;
const BIG = Buffer.alloc(600_000, 'bloomery ');

class Client {
  readonly socket: Socket;
  readonly port: number;
  readonly queue: Buffer[] = [];
  #wake = (): void => {};
  constructor(port: number) {
    this.port = port;
    this.socket = createSocket('udp4');
    this.socket.on('message', (bytes) => {
      this.queue.push(bytes);
      this.#wake();
    });
  }
  send(packet: TftpPacket | Uint8Array): void {
    this.socket.send(packet instanceof Uint8Array ? packet : encodeTftp(packet), this.port, '127.0.0.1');
  }
  async next(timeoutMs = 3_000): Promise<TftpPacket> {
    const end = Date.now() + timeoutMs;
    while (this.queue.length === 0) {
      assert.ok(Date.now() < end, `no packet in ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const packet = decodeTftp(this.queue.shift() ?? new Uint8Array());
    assert.ok(packet !== undefined);
    return packet;
  }
  read(file: string, options: TftpOptions = []): void {
    this.send({ type: 'read', file, mode: 'octet', options });
  }
  close(): void {
    this.socket.close();
  }
}

/** Read a file in lockstep or windows; `lose` says which packets of the server are lost on the way. */
async function download(
  client: Client,
  file: string,
  options: TftpOptions = [],
  lose: (n: number) => boolean = () => false,
): Promise<Buffer> {
  client.read(file, options);
  const parts: Buffer[] = [];
  let blockBytes = 512;
  let window = 1;
  let expected = 1;
  let inWindow = 0;
  for (let n = 0; ; n++) {
    const packet = await client.next(8_000);
    if (lose(n)) continue;
    if (packet.type === 'oack') {
      blockBytes = Number(packet.options.find(([name]) => name === 'blksize')?.[1] ?? 512);
      window = Number(packet.options.find(([name]) => name === 'windowsize')?.[1] ?? 1);
      client.send({ type: 'ack', block: 0 });
      continue;
    }
    assert.equal(packet.type, 'data');
    if (packet.type !== 'data') continue;
    if (packet.block !== (expected & 0xffff)) {
      if (inWindow >= 0) client.send({ type: 'ack', block: (expected - 1) & 0xffff });
      inWindow = -1;
      continue;
    }
    parts.push(Buffer.from(packet.bytes));
    expected += 1;
    inWindow = Math.max(0, inWindow) + 1;
    const last = packet.bytes.byteLength < blockBytes;
    if (inWindow === window || last) {
      inWindow = 0;
      client.send({ type: 'ack', block: packet.block });
    }
    if (last) return Buffer.concat(parts);
  }
}

describe('the TFTP server', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tftp-'));
  const assets = createAssetCache();
  let service: Service;
  let client: Client;
  before(async () => {
    writeFileSync(join(dir, 'f.bin'), CONTENT);
    writeFileSync(join(dir, 'big.bin'), BIG);
    writeFileSync(join(dir, 'exact.bin'), CONTENT.subarray(0, 1024));
    writeFileSync(join(dir, 'empty.bin'), '');
    symlinkSync('/etc/passwd', join(dir, 'out'));
    const loaders = { get: () => undefined, missing: [] };
    service = await startTftpServer(
      { host: '127.0.0.1', port: 0 },
      {
        files: createBootFiles({ loaders, chainScript: '#!ipxe\n', folder: dir, cache: assets }),
        marks: { mark: () => true },
        log: silentLog,
        clock: systemClock,
        whoIs: () => ({}),
      },
    );
    client = new Client(service.address.port);
  });
  after(async () => {
    client.close();
    await service[Symbol.asyncDispose]();
    await assets.close();
    rmSync(dir, { recursive: true });
  });

  const sizes: [name: string, options: TftpOptions][] = [
    ['512 bytes without options', []],
    ['1468 bytes', [['blksize', '1468']]],
    [
      '8 bytes, with wrapping block numbers',
      [
        ['blksize', '8'],
        ['windowsize', '64'],
      ],
    ],
    [
      'a window of 16',
      [
        ['blksize', '1432'],
        ['windowsize', '16'],
      ],
    ],
    [
      'the largest blocks',
      [
        ['blksize', '65464'],
        ['windowsize', '4'],
      ],
    ],
  ];
  for (const [name, options] of sizes) {
    it(`serves a whole file in blocks of ${name}`, async () => {
      const file = name.startsWith('8 ') ? 'big.bin' : 'f.bin';
      const got = await download(client, file, options);
      assert.ok(got.equals(file === 'f.bin' ? CONTENT : BIG));
    });
  }
  it('ends a file that fills its last block with an empty one', async () => {
    assert.equal((await download(client, 'exact.bin')).length, 1024);
    assert.equal((await download(client, 'empty.bin')).length, 0);
  });
  it('accepts what it understands and says so in order', async () => {
    client.read('//./sub\\..\\f.bin', [
      ['foo', '1'],
      ['tsize', '0'],
      ['blksize', '4'],
      ['windowsize', '1000'],
      ['timeout', '3'],
    ]);
    assert.deepEqual(await client.next(), {
      type: 'oack',
      options: [
        ['tsize', '200000'],
        ['windowsize', '64'],
        ['timeout', '3'],
      ],
    });
    client.send({ type: 'error', code: 8, message: 'no' });
  });
  it('starts with data when no option is accepted', async () => {
    client.read('f.bin', [['blksize', '99999999999']]);
    assert.equal((await client.next()).type, 'data');
    client.send({ type: 'error', code: 0, message: '' });
  });
  const refused: [name: string, packet: TftpPacket | Uint8Array, code: number][] = [
    ['a missing file', { type: 'read', file: 'nope', mode: 'octet', options: [] }, 1],
    ['a folder', { type: 'read', file: '/', mode: 'octet', options: [] }, 1],
    ['a path out of the root', { type: 'read', file: '../../etc/passwd', mode: 'octet', options: [] }, 1],
    ['a link out of the root', { type: 'read', file: 'out', mode: 'octet', options: [] }, 1],
    ['a name with a NUL part', Buffer.from('\0\x01f.bin\0mail\0'), 4],
    ['writing', { type: 'write', file: 'x', mode: 'octet', options: [] }, 2],
    ['an acknowledgement from nowhere', { type: 'ack', block: 7 }, 5],
  ];
  for (const [name, packet, code] of refused) {
    it(`refuses ${name} with error ${code}`, async () => {
      const stranger = new Client(service.address.port);
      stranger.send(packet);
      const answer = await stranger.next();
      assert.ok(answer.type === 'error' && answer.code === code, JSON.stringify(answer));
      stranger.close();
    });
  }
  it('does not send data again for a duplicate acknowledgement', async () => {
    const other = new Client(service.address.port);
    other.read('f.bin');
    assert.equal((await other.next()).type, 'data');
    for (let i = 0; i < 5; i++) other.send({ type: 'ack', block: 1 });
    const second = await other.next();
    assert.ok(second.type === 'data' && second.block === 2);
    other.send({ type: 'ack', block: 2 });
    const third = await other.next();
    assert.ok(third.type === 'data' && third.block === 3, 'no second block 2');
    other.send({ type: 'error', code: 0, message: '' });
    other.close();
  });
  it('mends losses in lockstep and in windows', async () => {
    const lockstep = await download(client, 'exact.bin', [], (n) => n === 1);
    assert.ok(lockstep.equals(CONTENT.subarray(0, 1024)));
    const windows = await download(
      client,
      'f.bin',
      [
        ['blksize', '1468'],
        ['windowsize', '16'],
      ],
      (n) => n % 37 === 5,
    );
    assert.ok(windows.equals(CONTENT));
  });
  it('begins anew when the same port asks again', async () => {
    client.read('f.bin', [['tsize', '0']]);
    await client.next();
    assert.ok((await download(client, 'exact.bin', [['blksize', '1000']])).equals(CONTENT.subarray(0, 1024)));
  });
  it('serves 300 clients at once', async () => {
    const clients = Array.from({ length: 300 }, () => new Client(service.address.port));
    const all = await Promise.all(clients.map((c) => download(c, 'f.bin', [['blksize', '1468']])));
    assert.ok(all.every((bytes) => bytes.equals(CONTENT)));
    for (const c of clients) c.close();
  });
  it('drops rubbish and goes on', async () => {
    const stranger = new Client(service.address.port);
    fc.assert(
      fc.property(fc.nat(7), fc.uint8Array({ maxLength: 600 }), (opcode, bytes) => {
        stranger.send(Uint8Array.of(0, opcode, ...bytes));
        stranger.send(bytes);
      }),
      { numRuns: 300 },
    );
    assert.ok((await download(client, 'exact.bin')).equals(CONTENT.subarray(0, 1024)));
    stranger.close();
  });

  const peers: [name: string, program: string, args: (out: string) => readonly string[]][] = [
    ['curl', '/usr/bin/curl', (out) => ['-s', '-o', out, `tftp://127.0.0.1:PORT/f.bin`]],
    [
      'curl with 1468 byte blocks',
      '/usr/bin/curl',
      (out) => ['-s', '--tftp-blksize', '1468', '-o', out, `tftp://127.0.0.1:PORT/f.bin`],
    ],
    ['tftp-hpa', '/usr/bin/tftp', (out) => ['-m', 'binary', '127.0.0.1', 'PORT', '-c', 'get', 'f.bin', out]],
  ];
  for (const [name, program, args] of peers) {
    const skip = existsSync(program) ? false : `${program} is not installed`;
    it(`serves ${name}`, { skip }, async () => {
      const out = join(dir, 'got');
      rmSync(out, { force: true });
      const child = spawn(
        program,
        args(out).map((arg) => arg.replace('PORT', String(service.address.port))),
      );
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
      assert.ok(readFileSync(out).equals(CONTENT));
    });
  }
});
