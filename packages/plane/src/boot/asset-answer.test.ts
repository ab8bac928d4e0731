import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { answerAsset, readAsset, readRange } from './asset-answer.ts';
import { ASSET_CHUNK_BYTES, createAssetCache, memoryAsset } from './asset-cache.ts';
import type { MachineAnswer, MachineRequest } from './http-route.ts';

const request = (headers: Record<string, string> = {}): MachineRequest => ({
  method: 'GET',
  path: '/x',
  query: new URLSearchParams(),
  headers,
  address: '127.0.0.1',
  signal: new AbortController().signal,
});
const asset = () => memoryAsset(Buffer.from('0123456789'), '"tag"');

async function bodyOf({ body }: MachineAnswer): Promise<string> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return String(body ?? '');
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('assets over HTTP', () => {
  const ranges: [header: string, want: ReturnType<typeof readRange>][] = [
    ['bytes=0-0', { from: 0, to: 1 }],
    ['bytes=5-', { from: 5, to: 10 }],
    ['bytes=5-99', { from: 5, to: 10 }],
    ['bytes=-3', { from: 7, to: 10 }],
    ['bytes=-30', { from: 0, to: 10 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=0-1,3-4', undefined],
    ['items=0-1', undefined],
    ['bytes=-', undefined],
    [`bytes=${'9'.repeat(100)}-`, undefined],
  ];
  for (const [header, want] of ranges) {
    it(`reads ${header.slice(0, 20)} of 10 bytes`, () => assert.deepEqual(readRange(header, 10), want));
  }
  it('gives the whole, a part, or what is not satisfiable', async () => {
    const whole = answerAsset(asset(), request());
    assert.deepEqual([whole.status, whole.headers?.['content-length'], await bodyOf(whole)], [200, 10, '0123456789']);
    const part = answerAsset(asset(), request({ range: 'bytes=2-4' }));
    assert.deepEqual([part.status, part.headers?.['content-range'], await bodyOf(part)], [206, 'bytes 2-4/10', '234']);
    const none = answerAsset(asset(), request({ range: 'bytes=10-' }));
    assert.deepEqual([none.status, none.headers?.['content-range']], [416, 'bytes */10']);
  });
  it('honours validators', () => {
    assert.equal(answerAsset(asset(), request({ 'if-none-match': 'W/"x", "tag"' })).status, 304);
    assert.equal(answerAsset(asset(), request({ 'if-none-match': '"x"' })).status, 200);
    assert.equal(answerAsset(asset(), request({ range: 'bytes=1-', 'if-range': '"old"' })).status, 200);
    assert.equal(answerAsset(asset(), request({ range: 'bytes=1-', 'if-range': '"tag"' })).status, 206);
  });
  it('are read to the end from the file that was opened, though it is replaced meanwhile', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'assets-'));
    const path = join(dir, 'f');
    const cache = createAssetCache(2 * ASSET_CHUNK_BYTES);
    try {
      const size = 4 * ASSET_CHUNK_BYTES + 5;
      writeFileSync(path, Buffer.alloc(size, 'a'));
      const old = await cache.open(path);
      assert.ok(old !== undefined);
      const reader = readAsset(old, 0, size)[Symbol.asyncIterator]();
      await reader.next();
      writeFileSync(`${path}.new`, Buffer.alloc(10, 'b'));
      renameSync(`${path}.new`, path);
      let bytes = ASSET_CHUNK_BYTES;
      for (let part = await reader.next(); part.done !== true; part = await reader.next()) {
        assert.ok(Buffer.from(part.value).every((byte) => byte === 0x61));
        bytes += part.value.byteLength;
      }
      assert.equal(bytes, size);
      const fresh = await cache.open(path);
      assert.equal(fresh?.sizeBytes, 10);
      fresh?.close();
      assert.equal(await cache.open(dir), undefined);
      assert.equal(await cache.open(join(dir, 'nothing')), undefined);
    } finally {
      await cache.close();
      rmSync(dir, { recursive: true });
    }
  });
});
