import { ASSET_CHUNK_BYTES, type Asset } from './asset-cache.ts';
import type { MachineAnswer, MachineRequest } from './http-route.ts';

/** How a transfer of an asset went on. */
export interface AssetProgress {
  /** The last byte was handed over. */
  readonly onSent?: () => void;
}

/**
 * Answer a request with an asset: single ranges, `If-None-Match` and `If-Range` as firmware and downloaders use them. The asset is
 * closed when the transfer ends, in any way.
 * @see RFC 9110 sections 13 and 14
 */
export function answerAsset(asset: Asset, request: MachineRequest, progress: AssetProgress = {}): MachineAnswer {
  const headers = {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: asset.etag,
    ...(asset.modifiedMs > 0 ? { 'last-modified': new Date(asset.modifiedMs).toUTCString() } : {}),
  };
  if (matches(request.headers['if-none-match'], asset.etag)) {
    asset.close();
    return { status: 304, headers };
  }
  const ifRange = request.headers['if-range'];
  const wanted = ifRange === undefined || ifRange === asset.etag ? request.headers['range'] : undefined;
  const range = wanted === undefined ? undefined : readRange(wanted, asset.sizeBytes);
  if (range === 'unsatisfiable') {
    asset.close();
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${asset.sizeBytes}` } };
  }
  const { from, to } = range ?? { from: 0, to: asset.sizeBytes };
  const part = range === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${asset.sizeBytes}` };
  return {
    status: range === undefined ? 200 : 206,
    headers: { ...headers, ...part, 'content-length': to - from },
    body: readAsset(asset, from, to, progress),
  };
}

/** The bytes from `from` up to `to`, in chunks shared with other readers. Closes the asset at its end or when it is returned. */
export function readAsset(
  asset: Asset,
  from: number,
  to: number,
  progress: AssetProgress = {},
): AsyncIterable<Uint8Array> {
  let at = from;
  let ended = false;
  const end = (): Promise<IteratorResult<Uint8Array, undefined>> => {
    if (!ended) asset.close();
    ended = true;
    return Promise.resolve({ done: true, value: undefined });
  };
  const iterator: AsyncIterator<Uint8Array, undefined> = {
    next: async () => {
      if (ended) return await end();
      if (at >= to) {
        progress.onSent?.();
        return await end();
      }
      const index = Math.floor(at / ASSET_CHUNK_BYTES);
      try {
        const chunk = await asset.chunk(index);
        const value = chunk.subarray(at - index * ASSET_CHUNK_BYTES, to - index * ASSET_CHUNK_BYTES);
        at += value.byteLength;
        return { done: false, value };
      } catch (error) {
        await end();
        throw error;
      }
    },
    return: end,
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** A single byte range, `to` exclusive. Undefined (the whole is sent) for several ranges and for what is no range. */
export function readRange(
  header: string,
  sizeBytes: number,
): { readonly from: number; readonly to: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.slice(0, 60).replaceAll(' ', ''));
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  if (first === '') {
    const from = Math.max(0, sizeBytes - Number(last));
    return Number(last) === 0 || sizeBytes === 0 ? 'unsatisfiable' : { from, to: sizeBytes };
  }
  const from = Number(first);
  const to = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= sizeBytes ? 'unsatisfiable' : { from, to };
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined || header.length > 1_024) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
