import { gzipSync } from 'node:zlib';

const BLOCK_BYTES = 512;

/** A `tar.gz` with the one file `kubeconfig`, as the method Kubeconfig streams it. @see POSIX.1-2017 pax, ustar format */
export function packKubeconfig(kubeconfig: string): Uint8Array {
  const content = Buffer.from(kubeconfig);
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write('kubeconfig', 0);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK_BYTES)]));
}
