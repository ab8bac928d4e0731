import { readFileSync, writeFileSync } from 'node:fs';
import { runProgram } from '../run-program.ts';
import type { ContentCache } from './content-cache.ts';
import { type CpioEntry, encodeCpio } from './cpio.ts';

/** CRC32 because the kernel knows no other check; one thread and a fixed preset so that equal input gives equal bytes. */
const XZ_OPTIONS = ['--check=crc32', '--threads=1', '--x86', '--lzma2=preset=6', '--stdout'];

/**
 * One compressed part of an initramfs. The kernel unpacks several archives behind each other, so that a change of the
 * small last part does not compress Node again.
 */
export async function buildLayer(
  cache: ContentCache,
  name: string,
  entries: readonly CpioEntry[],
): Promise<Uint8Array> {
  const archive = encodeCpio(entries);
  const path = await cache.ensure(`layer-${name}`, [XZ_OPTIONS.join(' '), archive], async (draft) => {
    writeFileSync(draft, await runProgram('xz', XZ_OPTIONS, { input: archive }));
  });
  return readFileSync(path);
}

/** Put layers behind each other, each beginning at a multiple of four bytes as the kernel wants it. */
export function joinLayers(layers: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(layers.flatMap((layer) => [layer, new Uint8Array((4 - (layer.length % 4)) % 4)]));
}
