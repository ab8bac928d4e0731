import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BloomeryError } from '@bloomery/ports';
import { bootLoaderFiles } from './boot-loader.ts';
import { bundleProgram } from './bundle.ts';
import { createContentCache } from './content-cache.ts';
import type { CpioEntry } from './cpio.ts';
import { etcdProgram } from './etcd-program.ts';
import { fetchKernel } from './kernel.ts';
import { buildLayer, joinLayers } from './layer.ts';
import { IMAGE_MODULES } from './module-list.ts';
import { programFiles } from './program-files.ts';
import { strippedNode } from './stripped-node.ts';

/** A bootable pair: `vmlinuz` and `initramfs.xz` in this folder. */
export interface BootImage {
  readonly dir: string;
  readonly initramfsBytes: number;
}

/** The images of the lab. The folder of each is also linked as `<cache>/images/<name>`. */
export interface BootImages {
  /** Holds `agent-amd64/` and `talos-stand-in/`: what `--agent-images` wants. */
  readonly imagesDir: string;
  readonly agent: BootImage;
  /** Boots in the place of Talos Linux in the lab; not an operating system for anybody's machines. */
  readonly standIn: BootImage;
}

export interface BuildOptions {
  /** `${XDG_CACHE_HOME:-~/.cache}/bloomery` */
  readonly cacheDir: string;
  /** Root of the source tree. */
  readonly sourceDir: string;
  readonly say: (line: string) => void;
}

/** What one image is made of. */
interface ImageSource {
  readonly name: string;
  readonly entryPoint: string;
  /** Files in it beside the program. */
  readonly extra?: readonly CpioEntry[];
  /** Files that are published in the folder of the image, by name. */
  readonly beside?: Readonly<Record<string, Uint8Array>>;
}

/** The agent's promise to machines with 512 MB (issue: initramfs at most 45 MB). */
const MAX_INITRAMFS_BYTES = 45 * 1024 * 1024;

/** Build what is not in the cache yet. Equal sources, Debian packages and Node give equal bytes. */
export async function buildBootImages({ cacheDir, sourceDir, say }: BuildOptions): Promise<BootImages> {
  const cache = createContentCache(join(cacheDir, 'images'));
  const kernel = await fetchKernel(cache, IMAGE_MODULES);
  say(`images: kernel ${kernel.release}`);
  const node = await strippedNode(cache);
  const base = await buildLayer(cache, 'base', [...(await baseFiles(node)), ...fixedFiles()]);
  const modules = await buildLayer(cache, 'modules', kernel.modules);
  const image = async ({ name, entryPoint, extra = [], beside = {} }: ImageSource): Promise<BootImage> => {
    const program = await bundleProgram(join(sourceDir, entryPoint), sourceDir);
    const init = readFileSync(join(sourceDir, 'packages/lab/src/image-files/init.sh'));
    const app = await buildLayer(cache, name, [
      { path: 'init', kind: 'file', content: init, executable: true },
      { path: 'program.mjs', kind: 'file', content: program, executable: false },
      ...udhcpcScript(sourceDir),
      ...extra,
    ]);
    const initramfs = joinLayers([base, modules, app]);
    say(`images: ${name} initramfs ${(initramfs.length / 1024 / 1024).toFixed(1)} MB`);
    return publish({ imagesDir: cache.dir, name, vmlinuz: kernel.vmlinuz, initramfs, beside });
  };
  return {
    imagesDir: cache.dir,
    agent: await image({ name: 'agent-amd64', entryPoint: 'packages/agent/src/main.ts' }),
    standIn: await image({
      name: 'talos-stand-in',
      entryPoint: 'packages/lab/src/stand-in/main.ts',
      extra: await bootLoaderFiles(cache),
      // Fetched by control planes when they are installed, as Talos fetches its etcd from a registry.
      beside: { etcd: readFileSync(await etcdProgram(cache)) },
    }),
  };
}

function baseFiles(node: string): Promise<CpioEntry[]> {
  return programFiles([
    { from: node, to: 'bin/node' },
    { from: 'busybox', to: 'bin/busybox' },
    { from: 'ipmitool', to: 'bin/ipmitool' },
    { from: 'wg', to: 'bin/wg' },
    { from: 'ip', to: 'bin/ip' },
    // util-linux: the one of busybox cannot write zeroes
    { from: 'blkdiscard', to: 'bin/blkdiscard' },
  ]);
}

/** What programs expect in a system: names of users and hosts, the shell. */
function fixedFiles(): CpioEntry[] {
  const text = (path: string, content: string): CpioEntry => ({
    path,
    kind: 'file',
    content: Buffer.from(content),
    executable: false,
  });
  const directory = (path: string): CpioEntry => ({ path, kind: 'directory' });
  return [
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
    text('etc/group', 'root:x:0:\n'),
    text('etc/hosts', '127.0.0.1 localhost\n::1 localhost\n'),
    text('etc/nsswitch.conf', 'hosts: files dns\n'),
    { path: 'bin/sh', kind: 'link', target: 'busybox' },
    ...['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'sbin', 'mnt'].map(directory),
  ];
}

function udhcpcScript(sourceDir: string): CpioEntry[] {
  const content = readFileSync(join(sourceDir, 'packages/lab/src/image-files/udhcpc.sh'));
  return [{ path: 'etc/udhcpc.sh', kind: 'file', content, executable: true }];
}

interface Publication {
  readonly imagesDir: string;
  readonly name: string;
  readonly vmlinuz: string;
  readonly initramfs: Uint8Array;
  readonly beside: Readonly<Record<string, Uint8Array>>;
}

function publish({ imagesDir, name, vmlinuz, initramfs, beside }: Publication): BootImage {
  if (initramfs.length > MAX_INITRAMFS_BYTES) {
    throw new BloomeryError('BLM_LAB_IMAGE_TOO_LARGE', `building ${name}: initramfs of ${initramfs.length} bytes`, {
      facts: { name, bytes: initramfs.length, limitBytes: MAX_INITRAMFS_BYTES },
    });
  }
  const files = { vmlinuz: readFileSync(vmlinuz), 'initramfs.xz': initramfs, ...beside };
  const hash = createHash('sha256');
  for (const content of Object.values(files)) hash.update(content);
  const id = hash.digest('hex').slice(0, 16);
  const dir = join(imagesDir, `${name}-${id}`);
  if (!existsSync(dir)) {
    const draft = `${dir}.draft-${process.pid}`;
    mkdirSync(draft, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(draft, file), content);
    renameSync(draft, dir);
  }
  const link = join(imagesDir, name);
  rmSync(`${link}.new`, { force: true });
  symlinkSync(`${name}-${id}`, `${link}.new`);
  renameSync(`${link}.new`, link);
  return { dir, initramfsBytes: initramfs.length };
}
