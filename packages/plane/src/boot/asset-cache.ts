import { type FileHandle, open, stat } from 'node:fs/promises';

/** A file, or bytes in memory, opened for reading in chunks. The content stays the same until it is closed. */
export interface Asset {
  readonly sizeBytes: number;
  /** Strong validator, quoted. */
  readonly etag: string;
  readonly modifiedMs: number;
  /** Chunk `index` of ASSET_CHUNK_BYTES (the last one shorter). At once when it is in memory. */
  chunk(index: number): Uint8Array | Promise<Uint8Array>;
  close(): void;
}

/** Size of all chunks but the last. */
export const ASSET_CHUNK_BYTES = 1_048_576;

/** Opens files and keeps what was read lately in memory, shared by everybody who reads the same file. */
export interface AssetCache {
  /** Undefined when there is no such regular file. Throws only for I/O errors that an operator must look at. */
  open(path: string): Promise<Asset | undefined>;
  close(): Promise<void>;
}

interface Shared {
  readonly key: string;
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  users: number;
}

/**
 * Make a cache that holds at most `maxBytes` of chunks (64 MiB unless given; the least recently read go first).
 * A file that is replaced by rename is seen as another file: who reads the old one reads it to its end.
 */
export function createAssetCache(maxBytes = 64 * ASSET_CHUNK_BYTES): AssetCache {
  const files = new Map<string, Shared>();
  const chunks = new Map<string, Uint8Array | Promise<Uint8Array>>();
  let heldBytes = 0;

  const forget = (key: string): void => {
    const chunk = chunks.get(key);
    if (chunk instanceof Uint8Array) heldBytes -= chunk.byteLength;
    chunks.delete(key);
  };
  const keep = (key: string, chunk: Uint8Array): void => {
    chunks.set(key, chunk);
    heldBytes += chunk.byteLength;
    for (const [oldest, held] of chunks) {
      if (heldBytes <= maxBytes) break;
      if (held instanceof Uint8Array) forget(oldest);
    }
  };
  const read = (file: Shared, index: number): Uint8Array | Promise<Uint8Array> => {
    const key = `${file.key} ${index}`;
    const found = chunks.get(key);
    if (found !== undefined) {
      chunks.delete(key);
      chunks.set(key, found);
      return found;
    }
    const loading = readChunk(file, index).then(
      (chunk) => {
        chunks.delete(key);
        keep(key, chunk);
        return chunk;
      },
      (error: unknown) => {
        chunks.delete(key);
        throw error;
      },
    );
    chunks.set(key, loading);
    return loading;
  };
  const release = (file: Shared): void => {
    file.users -= 1;
    if (file.users > 0) return;
    if (files.get(file.key) === file) files.delete(file.key);
    file.handle.close().catch(() => {});
  };
  const toAsset = (file: Shared): Asset => {
    let open = true;
    return {
      sizeBytes: file.sizeBytes,
      etag: file.etag,
      modifiedMs: file.modifiedMs,
      chunk: (index) => read(file, index),
      close: () => {
        if (open) release(file);
        open = false;
      },
    };
  };

  return {
    open: async (path) => {
      const known = files.get(await keyOf(path));
      if (known !== undefined) {
        known.users += 1;
        return toAsset(known);
      }
      const file = await openShared(path);
      if (file === undefined) return undefined;
      const other = files.get(file.key);
      if (other !== undefined) {
        other.users += 1;
        release(file);
        return toAsset(other);
      }
      files.set(file.key, file);
      return toAsset(file);
    },
    close: async () => {
      chunks.clear();
      heldBytes = 0;
      await Promise.all([...files.values()].map((file) => file.handle.close().catch(() => {})));
      files.clear();
    },
  };
}

/** Bytes as an Asset. */
export function memoryAsset(bytes: Uint8Array, etag: string): Asset {
  return {
    sizeBytes: bytes.byteLength,
    etag,
    modifiedMs: 0,
    chunk: (index) => bytes.subarray(index * ASSET_CHUNK_BYTES, (index + 1) * ASSET_CHUNK_BYTES),
    close() {},
  };
}

async function keyOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch {
    return '';
  }
}

async function openShared(path: string): Promise<Shared | undefined> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  const { dev, ino, size, mtimeNs, mtimeMs, isFile } = await statHandle(handle);
  if (!isFile) {
    await handle.close();
    return undefined;
  }
  const etag = `"${size.toString(36)}-${mtimeNs.toString(36)}-${ino.toString(36)}"`;
  const key = `${dev}:${ino}:${size}:${mtimeNs}`;
  return { key, handle, sizeBytes: Number(size), modifiedMs: Number(mtimeMs), etag, users: 1 };
}

async function statHandle(handle: FileHandle): Promise<{
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly mtimeMs: bigint;
  readonly isFile: boolean;
}> {
  const { dev, ino, size, mtimeNs, mtimeMs, ...rest } = await handle.stat({ bigint: true });
  const isFile = (rest.mode & 0o170000n) === 0o100000n;
  return { dev, ino, size, mtimeNs, mtimeMs, isFile };
}

async function readChunk(file: Shared, index: number): Promise<Uint8Array> {
  const from = index * ASSET_CHUNK_BYTES;
  const chunk = Buffer.allocUnsafeSlow(Math.max(0, Math.min(ASSET_CHUNK_BYTES, file.sizeBytes - from)));
  let at = 0;
  while (at < chunk.byteLength) {
    const { bytesRead } = await file.handle.read(chunk, at, chunk.byteLength - at, from + at);
    if (bytesRead === 0) throw new Error(`file ended at ${from + at} of ${file.sizeBytes} bytes`);
    at += bytesRead;
  }
  return chunk;
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'].includes(`${error.code}`)
  );
}
