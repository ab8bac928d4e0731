import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Disk, type RunProgram, readText } from '@bloomery/agent';
import { BloomeryError, type Clock, type Logger } from '@bloomery/ports';
import { bootSector, grubConfig, PARTITION_START } from './partition-table.ts';

/** What goes onto the disk. */
export interface Installation {
  readonly disk: Disk;
  /** Folder URL with `vmlinuz` and `initramfs.xz`. */
  readonly imageUrl: string;
  /** Where the etcd program comes from; undefined: none is needed. */
  readonly etcdUrl: string | undefined;
  /** Kernel arguments of the disk boot. */
  readonly commandLine: string;
}

export interface InstallDeps {
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly log: Logger;
}

const GRUB_FILES = '/usr/share/stand-in/grub';
const MOUNT_POINT = '/run/mnt';
const LABEL = 'STANDIN';
const CONFIG_FILE = 'config.yaml';
const TOKEN_FILE = 'unique-token';
const ETCD_FILE = 'etcd-program';
const STATE_DIR = '/run/state';
const SECTOR_BYTES = 512n;
const MAX_PARTITION_SECTORS = 1024 * 2048;
const BEGIN_BYTES = 4 * 1024 * 1024;
const PARTITION_WAIT_MS = 10_000;

/**
 * Make a disk bootable by BIOS and UEFI: GRUB, this kernel and initramfs.
 * @throws BloomeryError BLM_LAB_PROGRAM_FAILED when a step fails.
 */
export async function installToDisk(installation: Installation, deps: InstallDeps): Promise<void> {
  const { disk, imageUrl, etcdUrl, commandLine } = installation;
  await writeBootLoader(disk);
  await deps.run('blockdev', ['--rereadpt', disk.path]);
  const partition = await waitForPartition(disk, deps);
  await must(deps, 'mkdosfs', '-n', LABEL, partition);
  await withMounted(partition, deps, async (root) => {
    for (const folder of ['grub', 'EFI/BOOT']) await mkdir(`${root}/${folder}`, { recursive: true });
    for (const file of ['vmlinuz', 'initramfs.xz']) {
      await download(`${imageUrl.replace(/\/$/, '')}/${file}`, `${root}/${file}`);
      deps.log.info('install.copied', { file });
    }
    if (etcdUrl !== undefined) {
      await download(etcdUrl, `${root}/${ETCD_FILE}`);
      deps.log.info('install.copied', { file: ETCD_FILE });
    }
    await writeFile(`${root}/EFI/BOOT/BOOTX64.EFI`, await readFile(`${GRUB_FILES}/bootx64.efi`));
    await writeFile(`${root}/grub/grub.cfg`, grubConfig(commandLine));
  });
}

/** What an installed machine remembers. */
export interface InstalledState {
  readonly config: string;
  /** As Talos keeps it in its META partition. */
  readonly uniqueToken?: string;
}

/** The state of a machine, and the disk that it was found on. */
export interface FoundState extends InstalledState {
  readonly disk: Disk;
}

/** Leave the state on a disk that installToDisk wrote. @throws BloomeryError BLM_LAB_PROGRAM_FAILED */
export async function saveInstalledState(
  disk: Disk,
  { config, uniqueToken }: InstalledState,
  deps: InstallDeps,
): Promise<void> {
  await withMounted(partitionPath(disk), deps, async (root) => {
    await writeFile(`${root}/${CONFIG_FILE}`, config);
    if (uniqueToken !== undefined) await writeFile(`${root}/${TOKEN_FILE}`, uniqueToken);
  });
}

/** The state of the first of these disks that has one; undefined on a blank machine. */
export async function readInstalledState(
  disks: readonly Disk[],
  deps: Pick<InstallDeps, 'run'>,
): Promise<FoundState | undefined> {
  for (const disk of disks) {
    const partition = partitionPath(disk);
    if ((await deps.run('mount', ['-t', 'vfat', '-o', 'ro', partition, MOUNT_POINT])).code !== 0) continue;
    const config = utf8(await readText(`${MOUNT_POINT}/${CONFIG_FILE}`));
    const uniqueToken = await readText(`${MOUNT_POINT}/${TOKEN_FILE}`);
    await deps.run('umount', [MOUNT_POINT]);
    if (config !== undefined) return { disk, config, ...(uniqueToken === undefined ? {} : { uniqueToken }) };
  }
  return undefined;
}

/** The disk that the machine runs from, mounted for what has to survive a boot. */
export interface MountedState {
  /** Folder for services. */
  readonly dir: string;
  readonly etcdProgram: string;
  /** Keep another configuration for the next boot. */
  saveConfig(config: string): Promise<void>;
  unmount(): Promise<void>;
}

/**
 * Mount what installToDisk made. `/var/lib/etcd` leads to the data of etcd, as in Talos.
 * @throws BloomeryError BLM_LAB_PROGRAM_FAILED
 */
export async function mountState(disk: Disk, deps: InstallDeps): Promise<MountedState> {
  await mkdir(STATE_DIR, { recursive: true });
  await must(deps, 'mount', '-t', 'vfat', '-o', 'umask=077', partitionPath(disk), STATE_DIR);
  const dir = `${STATE_DIR}/var`;
  await mkdir(dir, { recursive: true });
  await mkdir('/var/lib', { recursive: true });
  await symlink(`${dir}/etcd`, '/var/lib/etcd');
  return {
    dir,
    etcdProgram: `${STATE_DIR}/${ETCD_FILE}`,
    saveConfig: (config) => writeFile(`${STATE_DIR}/${CONFIG_FILE}`, config),
    unmount: async () => {
      await deps.run('sync', []);
      await must(deps, 'umount', STATE_DIR);
    },
  };
}

/** Make a disk that nothing is mounted from blank to firmware and installer. */
export async function wipeInstallation(disk: Disk, { run }: Pick<InstallDeps, 'run'>): Promise<void> {
  // Not every disk can discard: then the begin, with the boot loader, has to do.
  await run('blkdiscard', ['--force', disk.path]);
  const file = await open(disk.path, 'r+');
  try {
    await file.write(Buffer.alloc(BEGIN_BYTES), 0, BEGIN_BYTES, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Files of the kernel are read as bytes, a configuration is text. */
function utf8(bytes: string | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString('utf8');
}

async function writeBootLoader(disk: Disk): Promise<void> {
  const core = await readFile(`${GRUB_FILES}/core.img`);
  const sectors = Number(disk.sizeBytes / SECTOR_BYTES) - PARTITION_START;
  const file = await open(disk.path, 'r+');
  try {
    const first = bootSector(await readFile(`${GRUB_FILES}/boot.img`), Math.min(sectors, MAX_PARTITION_SECTORS));
    await file.write(first, 0, first.length, 0);
    await file.write(core, 0, core.length, Number(SECTOR_BYTES));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** `/dev/vda1`, or `/dev/nvme0n1p1` where the disk's name ends in a digit. */
function partitionPath({ path }: Disk): string {
  return /\d$/.test(path) ? `${path}p1` : `${path}1`;
}

async function waitForPartition(disk: Disk, { clock }: InstallDeps): Promise<string> {
  const path = partitionPath(disk);
  const until = clock.nowMs() + PARTITION_WAIT_MS;
  while (clock.nowMs() < until) {
    if ((await readText(`/sys/class/block/${path.slice('/dev/'.length)}/size`)) !== undefined) return path;
    await clock.sleep(100);
  }
  throw new BloomeryError('BLM_LAB_PROGRAM_FAILED', `partitioning ${disk.path}: ${path} did not appear`);
}

async function withMounted(partition: string, deps: InstallDeps, work: (root: string) => Promise<void>): Promise<void> {
  await must(deps, 'mount', '-t', 'vfat', partition, MOUNT_POINT);
  try {
    await work(MOUNT_POINT);
  } finally {
    await deps.run('sync', []);
    await deps.run('umount', [MOUNT_POINT]);
  }
}

async function download(url: string, path: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(180_000) });
  if (!answer.ok || answer.body === null) {
    throw new BloomeryError('BLM_LAB_PROGRAM_FAILED', `fetching ${url}: HTTP status ${answer.status}`);
  }
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(path));
}

async function must({ run }: InstallDeps, program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code === 0) return;
  throw new BloomeryError(
    'BLM_LAB_PROGRAM_FAILED',
    `running ${program} ${args.join(' ')}: ended with ${code}: ${stderr}`,
  );
}
