import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BloomeryError, errorText } from '@bloomery/ports';

/** One file to fetch. */
export interface AssetSource {
  readonly url: string;
  /** Hex, any case; empty: not checked. */
  readonly sha512: string;
}

/** Fetches over HTTP(S); honours proxies where the composition root says so. */
export type Fetch = (
  url: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<Response>;

/** What came of a download. */
export interface Downloaded {
  readonly sizeBytes: number;
  /** Hex, lower case, of the whole file. */
  readonly sha512: string;
}

/** Largest asset: a download that is longer is given up. */
const ASSET_MAX_BYTES = 8 * 1024 ** 3;

/**
 * Fetch an asset into `path`: into a part file beside it first, which an interrupted download of the same source continues,
 * checked, synced and renamed. The file at `path` stays as it is until the new one is whole.
 *
 * @throws BloomeryError BLM_ASSET_DOWNLOAD when it cannot be fetched, BLM_ASSET_CHECKSUM when it is not what it should be
 */
export async function downloadAsset(
  source: AssetSource,
  path: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Downloaded> {
  await mkdir(dirname(path), { recursive: true });
  const part = partPath(path, source);
  await removeOtherParts(path, part);
  const have = await sizeOf(part);
  let response = await request(source.url, have, fetch, signal);
  if (have > 0 && response.status === 416) {
    await rm(part, { force: true });
    response = await request(source.url, 0, fetch, signal);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel().catch(() => {});
    throw failed(source.url, `HTTP status ${response.status}`);
  }
  const resumed = response.status === 206 && have > 0;
  await store(source.url, response.body, part, resumed);
  const sha512 = await sha512Of(part);
  if (source.sha512 !== '' && sha512 !== source.sha512.toLowerCase()) {
    await rm(part, { force: true });
    throw new BloomeryError(
      'BLM_ASSET_CHECKSUM',
      `downloading ${source.url}: sha512 is ${sha512.slice(0, 16)}…, ${source.sha512.toLowerCase().slice(0, 16)}… was asked for`,
      { retryable: true, facts: { url: source.url, sha512 } },
    );
  }
  const sizeBytes = await sizeOf(part);
  await rename(part, path);
  await syncFolder(dirname(path));
  return { sizeBytes, sha512 };
}

/** Named after the source too: what is there of one file is never continued with the bytes of another. Hidden, so not served. */
function partPath(path: string, { url, sha512 }: AssetSource): string {
  const id = createHash('sha256').update(`${sha512.toLowerCase()} ${url}`).digest('hex').slice(0, 16);
  return join(dirname(path), `.${basename(path)}.${id}.part`);
}

async function removeOtherParts(path: string, own: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const isPart = name.startsWith(`.${basename(path)}.`) && name.endsWith('.part');
    if (isPart && join(folder, name) !== own) await rm(join(folder, name), { force: true });
  }
}

/** sha512 of a file, in lower-case hex. */
export async function sha512Of(path: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(chunk);
  return hash.digest('hex');
}

async function request(url: string, from: number, fetch: Fetch, signal: AbortSignal): Promise<Response> {
  const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
  try {
    return await fetch(url, { headers, signal });
  } catch (error) {
    throw failed(url, causeText(error), error);
  }
}

async function store(url: string, body: AsyncIterable<Uint8Array>, part: string, append: boolean): Promise<void> {
  const file = await open(part, append ? 'a' : 'w', 0o644);
  try {
    let written = append ? (await file.stat()).size : 0;
    for await (const chunk of body) {
      written += chunk.byteLength;
      if (written > ASSET_MAX_BYTES) throw failed(url, `longer than ${ASSET_MAX_BYTES} bytes`);
      await file.writeFile(chunk);
    }
    await file.sync();
  } catch (error) {
    await file.sync().catch(() => {});
    if (error instanceof BloomeryError) throw error;
    throw failed(url, causeText(error), error);
  } finally {
    await file.close();
  }
}

function failed(url: string, why: string, cause?: unknown): BloomeryError {
  return new BloomeryError('BLM_ASSET_DOWNLOAD', `downloading ${url}: ${why}`, {
    retryable: true,
    facts: { url },
    cause,
  });
}

/** `fetch failed` hides what happened in its cause. */
function causeText(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? errorText(error.cause) : errorText(error);
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().catch(() => {});
  await folder.close();
}
