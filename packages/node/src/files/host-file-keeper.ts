import { join } from 'node:path';
import { errorText, type Logger } from '@bloomery/ports';
import { type FileImage, placeImage, readImage, writeInPlace } from './file-image.ts';
import { KERNEL_NAMES, KeptFiles } from './kept-files.ts';
import { oneAfterTheOther } from './one-after-the-other.ts';

/**
 * Writes files of this host and can undo it. What was there before the first change is kept in the daemon's folder before anything
 * changes. What somebody else writes meanwhile is what is put back in the end. Calls are done one after the other.
 */
export interface HostFileKeeper {
  /** Whether files of the host may be written: else nothing below changes any. */
  readonly enabled: boolean;
  /**
   * Put back what a former run left changed, because it crashed or had to leave it. Call once, before anything is written. What cannot be
   * put back is said, and tried again at the end: a host without its network would be worse.
   */
  recover(): Promise<void>;
  /**
   * Make the file at an absolute path have this content. Nothing is written when it has. Readers see the old or the new content, or
   * (bind mounts) for a moment half of it.
   *
   * @param mode 0o644 unless given
   * @throws BloomeryError BLM_NODE_HOST_FILE
   */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** What the file had without the daemon, symlinks followed; undefined when there was none. */
  original(path: string): Promise<Buffer | undefined>;
  /** Put one file back: it is no longer looked after. */
  release(path: string): Promise<void>;
  /** Set the kernel's host and domain name; an empty domain is not set. Undone like a file, unless the machine was booted since. */
  keepHostname(hostname: string, domainname?: string): Promise<void>;
  /** Put everything back. Goes on after a failure. @throws BloomeryError BLM_NODE_HOST_FILE at the end, naming each that failed */
  restore(): Promise<void>;
}

export interface HostFileKeeperOptions {
  /** `/` but in tests. */
  readonly root: string;
  /** The daemon's folder: originals are kept in `host-files` below it. */
  readonly stateDir: string;
  readonly enabled: boolean;
  readonly log: Logger;
}

/** Make the one keeper of a daemon. */
export function createHostFileKeeper(options: HostFileKeeperOptions): HostFileKeeper {
  const { enabled, log, root, stateDir } = options;
  const kept = new KeptFiles({ root, folder: join(stateDir, 'host-files'), log });
  const exclusively = oneAfterTheOther();

  async function write(path: string, content: Buffer, mode: number): Promise<void> {
    const image: FileImage = { kind: 'file', content, mode, ...(await ownerOf(path)) };
    await kept.change(path, image, (place) => placeImage(place, image));
  }

  /** The owner stays, so that who had the file can still write it. */
  async function ownerOf(path: string): Promise<{ uid: number; gid: number }> {
    const now = await readImage(join(root, path));
    if (now.kind === 'file') return { uid: now.uid, gid: now.gid };
    return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  }

  async function setKernelName(name: 'hostname' | 'domainname', value: string): Promise<void> {
    const content = Buffer.from(`${value}\n`);
    const image: FileImage = { kind: 'file', content, mode: 0o644, uid: 0, gid: 0 };
    const bootId = await kept.bootId();
    await kept.change(`${KERNEL_NAMES}/${name}`, image, (place) => writeInPlace(place, content), bootId);
  }

  return {
    enabled,
    recover: () =>
      exclusively(async () => {
        try {
          const left = await kept.restoreAll();
          if (left.length > 0) log.info('host-files.recovered', { paths: left });
        } catch (error) {
          log.error('host-files.unrecovered', { problem: errorText(error) });
        }
      }),
    write: async (path, content, mode = 0o644) => {
      if (enabled) await exclusively(() => write(path, Buffer.from(content), mode));
    },
    original: (path) => exclusively(() => kept.originalOf(path)),
    release: (path) => exclusively(() => kept.restoreOne(path)),
    keepHostname: async (hostname, domainname = '') => {
      if (!enabled) return;
      await exclusively(async () => {
        await setKernelName('hostname', hostname);
        if (domainname !== '') await setKernelName('domainname', domainname);
      });
    },
    restore: async () => {
      await exclusively(() => kept.restoreAll());
    },
  };
}
