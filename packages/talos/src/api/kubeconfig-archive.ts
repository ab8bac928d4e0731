import { gunzipSync } from 'node:zlib';
import { BloomeryError } from '@bloomery/ports';

/** A kubeconfig has some 3 KB; what unpacks to more is no kubeconfig. */
const MAX_BYTES = 1024 * 1024;
const BLOCK_BYTES = 512;

/**
 * The file `kubeconfig` of the `tar.gz` that the method Kubeconfig streams.
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED
 * @see POSIX.1-2017 pax, ustar interchange format
 */
export function readKubeconfigArchive(archive: Uint8Array): string {
  const tar = unpacked(archive);
  for (let at = 0; at + BLOCK_BYTES <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK_BYTES);
    const name = text(header, 0, 100);
    if (name === '') break;
    const size = Number.parseInt(text(header, 124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK_BYTES + size > tar.length) break;
    const start = at + BLOCK_BYTES;
    if (name === 'kubeconfig' || name.endsWith('/kubeconfig')) return tar.toString('utf8', start, start + size);
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw malformed('it holds no file "kubeconfig"');
}

function unpacked(archive: Uint8Array): Buffer {
  try {
    return gunzipSync(archive, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw malformed('it is no gzip of at most 1 MiB', cause);
  }
}

const text = (bytes: Buffer, at: number, length: number): string =>
  bytes.toString('latin1', at, at + length).split('\0', 1)[0] ?? '';

const malformed = (why: string, cause?: unknown): BloomeryError =>
  new BloomeryError('BLM_WIRE_MALFORMED', `reading the archive with a kubeconfig: ${why}`, { cause });
