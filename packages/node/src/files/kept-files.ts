import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import { digestOf, type FileImage, hasErrno, placeImage, readImage, writeInPlace } from './file-image.ts';
import { createOriginalRecords, type OriginalRecord, type OriginalRecords } from './original-records.ts';

/** Where the kernel's names are set, below `/`. */
export const KERNEL_NAMES = '/proc/sys/kernel';

export interface KeptFilesOptions {
  /** `/` but in tests. */
  readonly root: string;
  /** Where it is written down what they were before. */
  readonly folder: string;
  readonly log: Logger;
}

/** Files of the host that were changed, with what they were before. One call at a time. */
export class KeptFiles {
  readonly #root: string;
  readonly #log: Logger;
  readonly #records: OriginalRecords;
  #loaded: Map<string, OriginalRecord> | undefined;

  constructor({ root, folder, log }: KeptFilesOptions) {
    this.#root = root;
    this.#log = log;
    this.#records = createOriginalRecords(folder);
  }

  /** Differs after each boot of the machine. */
  bootId(): Promise<string> {
    return readFile(join(this.#root, KERNEL_NAMES, 'random/boot_id'), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  }

  /**
   * Make what stands at a path this image, by `place`; what stood there is on disk before. Nothing is done when it is so already.
   *
   * @param bootId of a setting that a boot forgets
   * @throws BloomeryError BLM_NODE_HOST_FILE
   */
  async change(
    path: string,
    image: FileImage,
    place: (realPath: string) => Promise<void>,
    bootId?: string,
  ): Promise<void> {
    const realPath = join(this.#root, path);
    try {
      const now = await readImage(realPath);
      const digest = digestOf(image);
      const record = await this.#recordFor(path, now, bootId);
      // Somebody else's file that already is as wanted is left alone, and not undone either.
      if (digestOf(now) === digest) return;
      const madeFolder = record.madeFolder ?? (await mkdir(dirname(realPath), { recursive: true }));
      const intent = madeFolder === undefined ? record : { ...record, madeFolder };
      // Both digests while it is not known which of them stands there.
      await this.#save({ ...intent, written: [...new Set([...record.written.slice(-1), digest])] });
      await place(realPath);
      await this.#save({ ...intent, written: [digest] });
      this.#log.info('host-file.written', { path });
    } catch (cause) {
      throw failed('write', path, cause);
    }
  }

  /** Put one path back, if it was changed. @throws BloomeryError BLM_NODE_HOST_FILE */
  async restoreOne(path: string): Promise<void> {
    const record = (await this.#all()).get(path);
    if (record === undefined) return;
    try {
      await this.#putBack(record);
    } catch (cause) {
      throw failed('put back', path, cause);
    }
    (await this.#all()).delete(path);
  }

  /** Put all back, also after a failure. @returns their paths. @throws BloomeryError BLM_NODE_HOST_FILE naming each that failed */
  async restoreAll(): Promise<readonly string[]> {
    const paths = [...(await this.#all()).keys()];
    const failures: unknown[] = [];
    for (const path of paths) await this.restoreOne(path).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) {
      const message = failures.map(errorText).join('; ');
      throw new BloomeryError('BLM_NODE_HOST_FILE', message, { cause: failures[0] });
    }
    return paths;
  }

  /** What a path had without the daemon, symlinks followed; undefined when there was none. */
  async originalOf(path: string): Promise<Buffer | undefined> {
    const now = await readImage(join(this.#root, path));
    const record = (await this.#all()).get(path);
    const image = record?.written.includes(digestOf(now)) ? record.original : now;
    if (image.kind === 'file') return image.content;
    if (image.kind === 'absent') return undefined;
    return readFile(join(this.#root, absoluteTarget(path, image.target))).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw failed('read', path, error);
    });
  }

  async #all(): Promise<Map<string, OriginalRecord>> {
    this.#loaded ??= new Map(await this.#records.load());
    return this.#loaded;
  }

  async #save(record: OriginalRecord): Promise<void> {
    await this.#records.save(record);
    (await this.#all()).set(record.path, record);
  }

  /** The record to change a path under. What somebody else wrote since is the original from now on; a removed file is not. */
  async #recordFor(path: string, now: FileImage, bootId?: string): Promise<OriginalRecord> {
    const record = (await this.#all()).get(path);
    const boot = bootId === undefined ? {} : { bootId };
    if (record === undefined || (record.bootId !== undefined && record.bootId !== bootId))
      return { path, original: now, written: [], ...boot };
    const digest = digestOf(now);
    if (now.kind === 'absent' || record.written.includes(digest) || digest === digestOf(record.original)) return record;
    this.#log.warn('host-file.changed-by-others', { path, done: 'replaced; their version is what will be put back' });
    return { ...record, original: now };
  }

  async #putBack(record: OriginalRecord): Promise<void> {
    const { path, original } = record;
    if (record.bootId !== undefined && record.bootId !== (await this.bootId())) return this.#records.forget(path);
    const realPath = join(this.#root, path);
    const now = await readImage(realPath);
    // What the kernel no longer has cannot be set.
    if (record.bootId !== undefined && now.kind === 'absent') return this.#records.forget(path);
    const isOurs = now.kind === 'absent' || record.written.includes(digestOf(now));
    if (!isOurs && digestOf(now) !== digestOf(original)) {
      const file = await this.#records.setAside(path);
      this.#log.warn('host-file.left', { path, why: 'somebody else changed it meanwhile', original: file });
      return;
    }
    if (isOurs && record.bootId !== undefined && original.kind === 'file')
      await writeInPlace(realPath, original.content);
    else if (isOurs) await placeImage(realPath, original);
    if (record.madeFolder !== undefined) await removeFolders(dirname(realPath), record.madeFolder);
    await this.#records.forget(path);
    this.#log.info('host-file.put-back', { path });
  }
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
