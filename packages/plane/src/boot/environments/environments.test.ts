import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Environment } from '@bloomery/model';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { type AssetShelf, createAssetShelf } from './asset-shelf.ts';
import { type AssetState, planEnvironmentStatus, type WantedAsset, wantedAssets } from './plan.ts';

const KERNEL = Buffer.alloc(300_000, 'kernel');
const SUM = createHash('sha512').update(KERNEL).digest('hex');

describe('assets of Environments', () => {
  let server: HttpServer;
  let base: string;
  let requests: { readonly url: string; readonly range: string | undefined }[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let dir: string;
  let clock: FakeClock;
  let shelf: AssetShelf;
  before(async () => {
    server = createServer((request, response) => {
      requests.push({ url: request.url ?? '', range: request.headers.range });
      answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = [];
    answer = (_request, response) => response.end(KERNEL);
    dir = mkdtempSync(join(tmpdir(), 'environments-'));
    clock = createFakeClock(1_000_000);
    shelf = createAssetShelf({ folder: dir, fetch, clock, log: silentLog });
  });
  afterEach(async () => {
    await shelf.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const asset = (overrides: Partial<WantedAsset> = {}): WantedAsset => ({
    url: `${base}/vmlinuz`,
    sha512: '',
    file: 'default/vmlinuz',
    ...overrides,
  });
  const settle = async (wanted: WantedAsset): Promise<AssetState> => {
    const end = Date.now() + 5_000;
    for (;;) {
      const state = await shelf.want(wanted);
      if (state.is !== 'fetching') return state;
      assert.ok(Date.now() < end, 'still fetching after 5 s');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const file = (): string => join(dir, 'default/vmlinuz');
  const partSize = (): number => {
    const parts = readdirSync(join(dir, 'default')).filter((name) => name.endsWith('.part'));
    assert.equal(parts.length, 1);
    return statSync(join(dir, 'default', parts[0] ?? '')).size;
  };
  const breakOff = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'content-length': KERNEL.length });
    response.write(KERNEL.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20));
  };

  it('are downloaded once and known again after a restart', async () => {
    assert.deepEqual(await shelf.want(asset()), { is: 'fetching' });
    assert.deepEqual(await settle(asset()), { is: 'there', verified: false });
    assert.ok(readFileSync(file()).equals(KERNEL));
    const again = createAssetShelf({ folder: dir, fetch, clock, log: silentLog });
    assert.deepEqual(await again.want(asset({ sha512: SUM })), { is: 'there', verified: true });
    assert.equal(requests.length, 1);
  });
  it('are refused when the sum is wrong, and the old file stays', async () => {
    await settle(asset());
    const wrong = asset({ url: `${base}/other`, sha512: 'ab'.repeat(64) });
    const state = await settle(wrong);
    assert.ok(state.is === 'failed' && state.reason === 'ChecksumMismatch', JSON.stringify(state));
    assert.match(state.message, /sha512 is [0-9a-f]{16}…/);
    assert.ok(readFileSync(file()).equals(KERNEL));
  });
  it('are tried again with growing pauses, and the state says why meanwhile', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    const failed = { is: 'failed', reason: 'DownloadFailed', message: `downloading ${base}/vmlinuz: HTTP status 503` };
    assert.deepEqual(await settle(asset()), failed);
    assert.equal(shelf.lookAgainMs([asset()]), 5_000);
    assert.deepEqual(await shelf.want(asset()), failed);
    assert.equal(requests.length, 1);
    await clock.advance(5_000);
    assert.deepEqual(await shelf.want(asset()), failed);
    const end = Date.now() + 5_000;
    while (shelf.lookAgainMs([asset()]) !== 10_000) {
      assert.ok(Date.now() < end, 'no second failure in 5 s');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(requests.length, 2);
    answer = (_request, response) => response.end(KERNEL);
    await clock.advance(10_000);
    await shelf.want(asset());
    const until = Date.now() + 5_000;
    while ((await shelf.want(asset())).is !== 'there') assert.ok(Date.now() < until, 'not there in 5 s');
  });
  it('go on where an interrupted download stopped', async () => {
    answer = breakOff;
    assert.equal((await settle(asset({ sha512: SUM }))).is, 'failed');
    assert.equal(existsSync(file()), false);
    const have = partSize();
    assert.ok(have > 0);
    answer = (_request, response) => response.writeHead(206).end(KERNEL.subarray(have));
    await clock.advance(5_000);
    await shelf.want(asset({ sha512: SUM }));
    const until = Date.now() + 5_000;
    while ((await shelf.want(asset({ sha512: SUM }))).is !== 'there') assert.ok(Date.now() < until, 'not there in 5 s');
    assert.equal(requests.at(-1)?.range, `bytes=${have}-`);
    assert.ok(readFileSync(file()).equals(KERNEL));
  });
  it('begin anew when the URL changed meanwhile, also after a restart', async () => {
    answer = breakOff;
    assert.equal((await settle(asset())).is, 'failed');
    assert.ok(partSize() > 0);
    const other = Buffer.alloc(KERNEL.length, 'other');
    answer = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200).end(other.subarray(from));
    };
    await shelf.close();
    shelf = createAssetShelf({ folder: dir, fetch, clock, log: silentLog });
    assert.equal((await settle(asset({ url: `${base}/other` }))).is, 'there');
    assert.ok(readFileSync(file()).equals(other));
    assert.deepEqual(readdirSync(join(dir, 'default')).sort(), ['.vmlinuz.json', 'vmlinuz']);
  });
  it('become shorter when the new one is shorter', async () => {
    await settle(asset());
    answer = (_request, response) => response.end('short');
    await settle(asset({ url: `${base}/short` }));
    assert.equal(readFileSync(file(), 'utf8'), 'short');
  });
  it('are shared by Environments that name the same URL', async () => {
    await settle(asset());
    assert.deepEqual(await settle(asset({ file: 'second/vmlinuz' })), { is: 'there', verified: false });
    assert.equal(requests.length, 1);
    assert.equal(statSync(join(dir, 'second/vmlinuz')).ino, statSync(file()).ino);
  });
  it('are fetched once when two ask at the same time', async () => {
    const other = asset({ file: 'second/vmlinuz' });
    await Promise.all([shelf.want(asset()), shelf.want(other)]);
    await settle(asset());
    await settle(other);
    assert.equal(requests.length, 1);
  });
  it('go with their Environment, also in the middle of a download', async () => {
    await settle(asset());
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('x');
    };
    await shelf.want(asset({ url: `${base}/slow`, file: 'default/initramfs.xz' }));
    await shelf.forget('default');
    assert.equal(existsSync(join(dir, 'default')), false);
    assert.equal(shelf.lookAgainMs([asset({ file: 'default/initramfs.xz' })]), undefined);
  });
  it('of forgotten Environments are tidied up, those of operators are not', async () => {
    await settle(asset());
    await settle(asset({ file: 'gone/arm64/vmlinuz' }));
    mkdirSync(join(dir, 'agent-amd64'));
    writeFileSync(join(dir, 'agent-amd64/vmlinuz'), 'by hand');
    await shelf.keepOnly(new Set(['default']));
    assert.deepEqual(
      ['default', 'gone', 'agent-amd64'].map((name) => existsSync(join(dir, name))),
      [true, false, true],
    );
    await shelf.forget('agent-amd64');
    assert.equal(existsSync(join(dir, 'agent-amd64/vmlinuz')), true);
  });
  it('must have an http or https URL', async () => {
    const state = await shelf.want(asset({ url: 'file:///etc/passwd' }));
    assert.deepEqual(state, {
      is: 'failed',
      reason: 'InvalidURL',
      message: 'file:///etc/passwd is not an http or https URL',
    });
  });
});

describe('the status of an Environment', () => {
  const environment: Environment = {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Environment',
    metadata: { name: 'e' },
    spec: {
      kernel: { url: 'http://a/v1.11.2/vmlinuz', sha512: 'AB' },
      initrd: { url: 'http://a/v1.11.2/initramfs' },
      architectures: { arm64: { kernel: { url: 'http://a/arm' } } },
    },
    status: {
      conditions: [
        { url: 'http://a/v1.11.2/vmlinuz', type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    },
  };
  const [kernel, initrd, arm] = wantedAssets(environment);
  assert.ok(kernel !== undefined && initrd !== undefined && arm !== undefined);

  it('names every file once', () => {
    assert.deepEqual(
      [kernel, initrd, arm].map(({ file, sha512 }) => `${file} ${sha512}`),
      ['e/vmlinuz ab', 'e/initramfs.xz ', 'e/arm64/vmlinuz '],
    );
  });
  it('keeps the time of what did not change, and says first what is wrong', () => {
    const status = planEnvironmentStatus(
      environment,
      [
        { wanted: kernel, state: { is: 'there', verified: true } },
        { wanted: initrd, state: { is: 'failed', reason: 'DownloadFailed', message: 'downloading http://a: no' } },
      ],
      Date.UTC(2026, 6, 1),
    );
    assert.deepEqual(status, {
      conditions: [
        {
          url: 'http://a/v1.11.2/initramfs',
          status: 'False',
          type: 'Ready',
          reason: 'DownloadFailed',
          message: 'downloading http://a: no',
          lastTransitionTime: '2026-07-01T00:00:00Z',
        },
        {
          url: 'http://a/v1.11.2/vmlinuz',
          sha512: 'ab',
          status: 'True',
          type: 'Ready',
          reason: 'Downloaded',
          message: 'The file is there and its sha512 is right.',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
      waitingFor: 'working asset URL',
      version: 'v1.11.2',
    });
  });
  it('has no wait when everything is there', () => {
    const status = planEnvironmentStatus(environment, [{ wanted: kernel, state: { is: 'there', verified: false } }], 0);
    assert.deepEqual([status.waitingFor, status.checksum], [undefined, 'unverified']);
  });
});
