import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContentCache } from '../images/content-cache.ts';
import type { CpioEntry } from '../images/cpio.ts';
import { candidateVersion, unpackedPackage } from '../images/debian-package.ts';
import { fetchKernel } from '../images/kernel.ts';
import { buildLayer, joinLayers } from '../images/layer.ts';
import { programFiles } from '../images/program-files.ts';
import { strippedNode } from '../images/stripped-node.ts';
import { GUEST_MODULES } from './guest-modules.ts';

/** What QEMU boots. */
export interface NetworkGuestImage {
  readonly vmlinuz: string;
  readonly initramfs: string;
}

export interface NetworkGuestSource {
  /** `${XDG_CACHE_HOME:-~/.cache}/bloomery` */
  readonly cacheDir: string;
  /** Root of the source tree. */
  readonly sourceDir: string;
  /** What runs in the guest, relative to the source tree. */
  readonly program: string;
}

/**
 * A guest with Debian's kernel, Node and network tools, that mounts the source tree and runs one program of it: for what the
 * kernel of a test machine may lack (bonds, VLANs, dummies, its own WireGuard), and udevadm to compare names with.
 */
export async function buildNetworkGuest({
  cacheDir,
  sourceDir,
  program,
}: NetworkGuestSource): Promise<NetworkGuestImage> {
  const cache = createContentCache(join(cacheDir, 'images'));
  const kernel = await fetchKernel(cache, GUEST_MODULES);
  const udev = await unpackedPackage(cache, { name: 'udev', version: await candidateVersion('udev') });
  const base = await buildLayer(
    cache,
    'network-guest-base',
    await programFiles([
      { from: await strippedNode(cache), to: 'bin/node' },
      { from: 'busybox', to: 'bin/busybox' },
      { from: 'wg', to: 'bin/wg' },
      { from: 'ip', to: 'bin/ip' },
      { from: 'ethtool', to: 'bin/ethtool' },
      { from: join(udev, 'bin/udevadm'), to: 'bin/udevadm' },
    ]),
  );
  const modules = await buildLayer(cache, 'network-guest-modules', kernel.modules);
  const text = (path: string, content: string | Uint8Array, executable = false): CpioEntry => ({
    path,
    kind: 'file',
    content: Buffer.from(content),
    executable,
  });
  const init = readFileSync(join(sourceDir, 'packages/lab/src/image-files/network-guest-init.sh'));
  const app = await buildLayer(cache, 'network-guest', [
    text('init', init, true),
    text('etc/guest-modules', `${GUEST_MODULES.join('\n')}\n`),
    text('etc/guest-program', program),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
    text('etc/group', 'root:x:0:\n'),
    text('etc/hosts', '127.0.0.1 localhost\n'),
    text('etc/nsswitch.conf', 'hosts: files dns\n'),
    { path: 'bin/sh', kind: 'link', target: 'busybox' },
    ...['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'sbin', 'mnt'].map(
      (path): CpioEntry => ({ path, kind: 'directory' }),
    ),
  ]);
  const initramfs = joinLayers([base, modules, app]);
  const path = await cache.ensure('network-guest', [initramfs], async (draft) => writeFileSync(draft, initramfs));
  return { vmlinuz: kernel.vmlinuz, initramfs: path };
}
