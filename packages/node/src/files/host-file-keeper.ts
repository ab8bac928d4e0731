import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import { digestOf, type FileImage, hasErrno, placeImage, readImage, writeInPlace } from './file-image.ts';
import { createOriginalRecords, type OriginalRecord } from './original-records.ts';

/**
 * Writes files of this host and can undo it. What was there before the first change is kept in the daemon's folder before anything
 * changes. What somebody else writes meanwhile is what is put back in the end. Calls are done one after the other.
 */
export interface HostFileKeeper {
  /** Whether files of the host may be written: else nothing below changes any. */
  readonly enabled: boolean;
  /** Put back what a former run left changed, because it crashed or had to leave it. Call once, before anything is written. */
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

const KERNEL_NAMES = '/proc/sys/kernel';

/** Make the one keeper of a daemon. */
export function createHostFileKeeper(options: HostFileKeeperOptions): HostFileKeeper {
  const { enabled, log, root } = options;
  const kept = createKept(options);
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
        const left = await kept.restoreAll();
        if (left.length > 0) log.info('host-files.recovered', { paths: left });
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
      await exclusively(kept.restoreAll);
    },
  };
}

/** The records, and what stands at their paths. */
function createKept({ root, stateDir, log }: HostFileKeeperOptions) {
  const records = createOriginalRecords(join(stateDir, 'host-files'));
  let loaded: Map<string, OriginalRecord> | undefined;

  async function all(): Promise<Map<string, OriginalRecord>> {
    loaded ??= new Map(await records.load());
    return loaded;
  }

  /** Differs after each boot of the machine. */
  const bootId = (): Promise<string> =>
    readFile(join(root, KERNEL_NAMES, 'random/boot_id'), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );

  async function save(record: OriginalRecord): Promise<void> {
    await records.save(record);
    (await all()).set(record.path, record);
  }

  /** The record to change a path under. What somebody else wrote since is the original from now on; a removed file is not. */
  async function recordFor(path: string, now: FileImage, bootId?: string): Promise<OriginalRecord> {
    const record = (await all()).get(path);
    const boot = bootId === undefined ? {} : { bootId };
    if (record === undefined || (record.bootId !== undefined && record.bootId !== bootId))
      return { path, original: now, written: [], ...boot };
    const digest = digestOf(now);
    if (now.kind === 'absent' || record.written.includes(digest) || digest === digestOf(record.original)) return record;
    log.warn('host-file.changed-by-others', { path, done: 'replaced; their version is what will be put back' });
    return { ...record, original: now };
  }

  async function change(
    path: string,
    image: FileImage,
    place: (realPath: string) => Promise<void>,
    bootId?: string,
  ): Promise<void> {
    const realPath = join(root, path);
    try {
      const now = await readImage(realPath);
      const digest = digestOf(image);
      const record = await recordFor(path, now, bootId);
      // Somebody else's file that already is as wanted is left alone, and not undone either.
      if (digestOf(now) === digest) return;
      const madeFolder = record.madeFolder ?? (await mkdir(dirname(realPath), { recursive: true }));
      const intent = madeFolder === undefined ? record : { ...record, madeFolder };
      // Both digests while it is not known which of them stands there.
      await save({ ...intent, written: [...new Set([...record.written.slice(-1), digest])] });
      await place(realPath);
      await save({ ...intent, written: [digest] });
      log.info('host-file.written', { path });
    } catch (cause) {
      throw failed('write', path, cause);
    }
  }

  async function restoreOne(path: string): Promise<void> {
    const record = (await all()).get(path);
    if (record === undefined) return;
    try {
      await putBack(record);
    } catch (cause) {
      throw failed('put back', path, cause);
    }
    (await all()).delete(path);
  }

  async function putBack(record: OriginalRecord): Promise<void> {
    const { path, original } = record;
    if (record.bootId !== undefined && record.bootId !== (await bootId())) return records.forget(path);
    const realPath = join(root, path);
    const now = await readImage(realPath);
    const isOurs = now.kind === 'absent' || record.written.includes(digestOf(now));
    if (!isOurs && digestOf(now) !== digestOf(original)) {
      const file = await records.setAside(path);
      log.warn('host-file.left', { path, why: 'somebody else changed it meanwhile', original: file });
      return;
    }
    if (isOurs && record.bootId !== undefined && original.kind === 'file')
      await writeInPlace(realPath, original.content);
    else if (isOurs) await placeImage(realPath, original);
    if (record.madeFolder !== undefined) await removeFolders(dirname(realPath), record.madeFolder);
    await records.forget(path);
    log.info('host-file.put-back', { path });
  }

  async function restoreAll(): Promise<readonly string[]> {
    const paths = [...(await all()).keys()];
    const failures: unknown[] = [];
    for (const path of paths) await restoreOne(path).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) {
      const message = failures.map(errorText).join('; ');
      throw new BloomeryError('BLM_NODE_HOST_FILE', message, { cause: failures[0] });
    }
    return paths;
  }

  async function originalOf(path: string): Promise<Buffer | undefined> {
    const realPath = join(root, path);
    const now = await readImage(realPath);
    const record = (await all()).get(path);
    const image = record?.written.includes(digestOf(now)) ? record.original : now;
    if (image.kind === 'file') return image.content;
    if (image.kind === 'absent') return undefined;
    return readFile(join(root, absoluteTarget(path, image.target))).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw failed('read', path, error);
    });
  }

  return { bootId, change, restoreOne, restoreAll, originalOf };
}

function absoluteTarget(path: string, target: string): string {
  return target.startsWith('/') ? target : join(dirname(path), target);
}

/** Take away the folders that were made, as far as they are empty. */
async function removeFolders(folder: string, first: string): Promise<void> {
  for (let at = folder; at.startsWith(first); at = dirname(at)) {
    const isGone = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

function failed(what: string, path: string, cause: unknown): BloomeryError {
  return new BloomeryError('BLM_NODE_HOST_FILE', `cannot ${what} ${path}: ${errorText(cause)}`, {
    retryable: true,
    facts: { path },
    cause,
  });
}

function oneAfterTheOther(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}
