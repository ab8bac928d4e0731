import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@bloomery/ports';

/** Names of loaders that are offered, and the files that may stand behind each, best first. */
const LOADER_FILES: Readonly<Record<string, readonly string[]>> = {
  'undionly.kpxe': ['undionly.kpxe'],
  'undionly.kpxe.0': ['undionly.kpxe.0', 'undionly.kpxe'],
  'ipxe.efi': ['ipxe.efi'],
  'snp.efi': ['snp.efi', 'snponly.efi', 'ipxe.efi'],
  'ipxe-arm64.efi': ['ipxe-arm64.efi', 'arm64/ipxe.efi'],
  'snp-arm64.efi': ['snp-arm64.efi', 'snponly-arm64.efi', 'arm64/snponly.efi', 'arm64/snp.efi', 'ipxe-arm64.efi'],
};

/** A loader in memory. */
export interface Loader {
  readonly bytes: Uint8Array;
  readonly etag: string;
  /** Carries our chain script, so that it needs no second DHCP answer. */
  readonly hasScript: boolean;
}

/** All loaders that were found, by the name under which they are offered. */
export interface Loaders {
  get(name: string): Loader | undefined;
  /** Names that are offered to machines but whose file is nowhere. */
  readonly missing: readonly string[];
}

const LOADER_MAX_BYTES = 64 * 1_048_576;

/**
 * Read the iPXE loaders from the first of `folders` that has them; put the chain script into those with a placeholder.
 * What is missing is said once, as a warning: its machines get "file not found".
 */
export async function loadLoaders(folders: readonly string[], chainScript: string, log: Logger): Promise<Loaders> {
  const found = new Map<string, Loader>();
  const missing: string[] = [];
  for (const [name, files] of Object.entries(LOADER_FILES)) {
    const bytes = await readFirst(folders, files);
    if (bytes === undefined) {
      missing.push(name);
      continue;
    }
    const patched = patchLoader(bytes, chainScript);
    const content = patched ?? bytes;
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    found.set(name, { bytes: content, etag, hasScript: patched !== undefined });
  }
  if (missing.length > 0) log.warn('boot.loaders_missing', { loaders: missing, folders });
  return { get: (name) => found.get(name), missing };
}

const PLACEHOLDER_START = Buffer.from('# *PLACEHOLDER START*');
const PLACEHOLDER_END = Buffer.from('# *PLACEHOLDER END*');

/**
 * A copy of the loader with `script` in place of its placeholder (marks included), padded with line ends.
 * Undefined when it has no placeholder, or one that is too short.
 */
export function patchLoader(loader: Uint8Array, script: string): Uint8Array | undefined {
  const bytes = Buffer.from(loader);
  const start = bytes.indexOf(PLACEHOLDER_START);
  const end = start < 0 ? -1 : bytes.indexOf(PLACEHOLDER_END, start);
  const text = Buffer.from(script);
  if (end < 0 || end + PLACEHOLDER_END.byteLength - start < text.byteLength) return undefined;
  bytes.fill('\n', start, end + PLACEHOLDER_END.byteLength);
  text.copy(bytes, start);
  return bytes;
}

async function readFirst(folders: readonly string[], files: readonly string[]): Promise<Uint8Array | undefined> {
  for (const file of files) {
    for (const folder of folders) {
      const bytes = await readFile(join(folder, file)).catch(() => undefined);
      if (bytes !== undefined && bytes.byteLength > 0 && bytes.byteLength <= LOADER_MAX_BYTES) return bytes;
    }
  }
  return undefined;
}
