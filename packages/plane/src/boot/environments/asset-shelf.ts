import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BloomeryError, type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import { downloadAsset, type Fetch } from './asset-download.ts';
import type { AssetState, WantedAsset } from './plan.ts';

/** What the shelf needs. */
export interface AssetShelfDeps {
  /** Folder of all Environments. */
  readonly folder: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The files of all Environments on disk, and the downloads that bring them there. */
export interface AssetShelf {
  /** The state of a file; begins or repeats its download when it is due. Downloads go on by themselves. */
  want(asset: WantedAsset): Promise<AssetState>;
  /** How long until something may be different, when the states of `want` are these. */
  lookAgainMs(assets: readonly WantedAsset[]): number | undefined;
  /** Take what was downloaded for an Environment away and give up its downloads. */
  forget(environment: string): Promise<void>;
  /** Take away what was downloaded for Environments that are not in this list. */
  keepOnly(environments: ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}

/** What is known of a file, kept beside it. */
interface Label {
  readonly url: string;
  readonly sha512: string;
}

interface Job {
  readonly key: string;
  readonly abort: AbortController;
  running: Promise<void> | undefined;
  failure?: { readonly state: AssetState & { readonly is: 'failed' }; readonly retryAtMs: number };
  failures: number;
}

const ATTEMPT_MAX_MS = 300_000;
const RETRY_MIN_MS = 5_000;
const RETRY_MAX_MS = 300_000;
const LOOK_WHILE_FETCHING_MS = 250;

/** Make a shelf. Identical URLs are fetched once at a time and shared as hard links. */
export function createAssetShelf({ folder, fetch, clock, log }: AssetShelfDeps): AssetShelf {
  const jobs = new Map<string, Job>();
  /** Files that were seen whole, by key of what they hold. */
  const holders = new Map<string, string>();

  const run = async (job: Job, asset: WantedAsset): Promise<void> => {
    const startedMs = clock.nowMs();
    const cancel = clock.after(ATTEMPT_MAX_MS, () => job.abort.abort());
    try {
      const path = join(folder, asset.file);
      const label =
        (await shareFrom(holders, folder, asset)) ?? (await fetchInto(path, asset, fetch, job.abort.signal));
      await writeLabel(path, label);
      holders.set(keyOf(asset), asset.file);
      log.info('environment.asset_ready', { file: asset.file, url: asset.url, tookMs: clock.nowMs() - startedMs });
      jobs.delete(asset.file);
    } catch (error) {
      job.failures += 1;
      const retryAtMs = clock.nowMs() + Math.min(RETRY_MIN_MS * 2 ** (job.failures - 1), RETRY_MAX_MS);
      const reason = isBloomeryError(error, 'BLM_ASSET_CHECKSUM') ? 'ChecksumMismatch' : 'DownloadFailed';
      job.failure = { state: { is: 'failed', reason, message: errorText(error) }, retryAtMs };
      log.warn('environment.asset_failed', {
        file: asset.file,
        url: asset.url,
        error: errorText(error),
        failures: job.failures,
      });
    } finally {
      cancel();
      job.running = undefined;
    }
  };
  const begin = (asset: WantedAsset, failures: number): void => {
    const job: Job = { key: keyOf(asset), abort: new AbortController(), running: undefined, failures };
    jobs.set(asset.file, job);
    job.running = run(job, asset);
  };
  const stop = async (file: string): Promise<void> => {
    const job = jobs.get(file);
    jobs.delete(file);
    job?.abort.abort();
    await job?.running;
  };

  return {
    want: async (asset) => {
      if (!isHttpUrl(asset.url)) {
        return { is: 'failed', reason: 'InvalidURL', message: `${asset.url} is not an http or https URL` };
      }
      const label = await readLabel(join(folder, asset.file));
      if (label?.url === asset.url && (asset.sha512 === '' || asset.sha512 === label.sha512)) {
        holders.set(keyOf(asset), asset.file);
        return { is: 'there', verified: asset.sha512 !== '' };
      }
      const job = jobs.get(asset.file);
      if (job !== undefined && job.key !== keyOf(asset)) await stop(asset.file);
      const current = jobs.get(asset.file);
      if (current?.running !== undefined) return current.failure?.state ?? { is: 'fetching' };
      const shared = [...jobs.values()].some((other) => other.key === keyOf(asset) && other.running !== undefined);
      if (current?.failure !== undefined && clock.nowMs() < current.failure.retryAtMs) return current.failure.state;
      if (!shared) {
        begin(asset, current?.failures ?? 0);
        const failure = current?.failure;
        const started = jobs.get(asset.file);
        if (failure !== undefined && started !== undefined) started.failure = failure;
        if (failure !== undefined) return failure.state;
      }
      return { is: 'fetching' };
    },
    lookAgainMs: (assets) => {
      const waits = assets.flatMap(({ file }) => {
        const job = jobs.get(file);
        if (job === undefined) return [];
        return job.running === undefined && job.failure !== undefined
          ? [Math.max(LOOK_WHILE_FETCHING_MS, job.failure.retryAtMs - clock.nowMs())]
          : [LOOK_WHILE_FETCHING_MS];
      });
      return waits.length === 0 ? undefined : Math.min(...waits);
    },
    forget: async (environment) => {
      for (const file of [...jobs.keys()]) if (file.startsWith(`${environment}/`)) await stop(file);
      for (const [key, file] of holders) if (file.startsWith(`${environment}/`)) holders.delete(key);
      if (await isOurs(join(folder, environment)))
        await rm(join(folder, environment), { recursive: true, force: true });
    },
    keepOnly: async (environments) => {
      const names = await readdir(folder).catch(() => []);
      for (const name of names) {
        if (!environments.has(name) && (await isOurs(join(folder, name)))) {
          await rm(join(folder, name), { recursive: true, force: true });
        }
      }
    },
    close: async () => {
      await Promise.all([...jobs.keys()].map(stop));
    },
  };
}

async function fetchInto(path: string, asset: WantedAsset, fetch: Fetch, signal: AbortSignal): Promise<Label> {
  const { sha512 } = await downloadAsset(asset, path, fetch, signal);
  return { url: asset.url, sha512 };
}

/** Take the file from another Environment that has it. */
async function shareFrom(
  holders: ReadonlyMap<string, string>,
  folder: string,
  asset: WantedAsset,
): Promise<Label | undefined> {
  const holder = holders.get(keyOf(asset));
  if (holder === undefined || holder === asset.file) return undefined;
  const label = await readLabel(join(folder, holder));
  if (label?.url !== asset.url || (asset.sha512 !== '' && asset.sha512 !== label.sha512)) return undefined;
  const path = join(folder, asset.file);
  const temporary = `${path}.shared`;
  await mkdir(dirname(path), { recursive: true });
  await rm(temporary, { force: true });
  await link(join(folder, holder), temporary).catch(() => copyFile(join(folder, holder), temporary));
  await rename(temporary, path);
  return label;
}

/** Whether the folder holds something that was downloaded; what an operator put there stays. */
async function isOurs(path: string): Promise<boolean> {
  const names = await readdir(path, { recursive: true }).catch(() => []);
  return names.some((name) => name.endsWith('.part') || /^\..*\.json$/.test(basename(name)));
}

function keyOf({ url, sha512 }: WantedAsset): string {
  return `${sha512} ${url}`;
}

function labelPath(path: string): string {
  return join(dirname(path), `.${path.slice(dirname(path).length + 1)}.json`);
}

/** Undefined when the file or its label is missing: then it is not known to be whole. */
async function readLabel(path: string): Promise<Label | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(labelPath(path), 'utf8'));
    const size = (await stat(path)).size;
    if (typeof value !== 'object' || value === null || !('url' in value && 'sha512' in value && 'sizeBytes' in value)) {
      return undefined;
    }
    return value.sizeBytes === size ? { url: String(value.url), sha512: String(value.sha512) } : undefined;
  } catch {
    return undefined;
  }
}

async function writeLabel(path: string, label: Label): Promise<void> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw new BloomeryError('BLM_ASSET_DOWNLOAD', `storing ${path}: the file vanished`, { retryable: true, cause });
  });
  const temporary = `${labelPath(path)}.new`;
  await writeFile(temporary, JSON.stringify({ ...label, sizeBytes: size }));
  await rename(temporary, labelPath(path));
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}
