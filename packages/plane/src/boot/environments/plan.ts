import type { Environment, WaitReason } from '@bloomery/model';
import { timeText, WAIT_REASONS } from '@bloomery/model';

/** One file that an Environment needs. */
export interface WantedAsset {
  readonly url: string;
  /** Hex, lower case; empty: not checked. */
  readonly sha512: string;
  /** Below the folder of all Environments: `default/vmlinuz`, `default/arm64/initramfs.xz`. */
  readonly file: string;
}

/** What is on disk for one wanted file, or why not. */
export type AssetState =
  /** `verified`: its sha512 was asked for and is right. */
  | { readonly is: 'there'; readonly verified: boolean }
  | { readonly is: 'fetching' }
  /** `message` is for people: what was attempted and what happened. */
  | { readonly is: 'failed'; readonly reason: AssetFailure; readonly message: string };

/** Reasons of a condition with status False. */
export type AssetFailure = 'DownloadFailed' | 'ChecksumMismatch' | 'InvalidURL';

type Status = NonNullable<Environment['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** The files of an Environment, in order: kernel, initrd, then those of other architectures. */
export function wantedAssets({ metadata, spec }: Environment): readonly WantedAsset[] {
  const sets = [
    { folder: metadata.name, assets: spec },
    ...Object.entries(spec?.architectures ?? {}).map(([arch, assets]) => ({
      folder: `${metadata.name}/${arch}`,
      assets,
    })),
  ];
  return sets
    .filter(({ folder }) => /^[a-z0-9][a-z0-9.-]*(?:\/[a-z0-9_]+)?$/.test(folder))
    .flatMap(({ folder, assets }) =>
      [
        { asset: assets?.kernel, file: 'vmlinuz' },
        { asset: assets?.initrd, file: 'initramfs.xz' },
      ].flatMap(({ asset, file }) =>
        asset?.url === undefined || asset.url === ''
          ? []
          : [{ url: asset.url, sha512: (asset.sha512 ?? '').toLowerCase(), file: `${folder}/${file}` }],
      ),
    );
}

/** The status of an Environment. Times of conditions change only with their status. Pure. */
export function planEnvironmentStatus(
  environment: Environment,
  assets: readonly { readonly wanted: WantedAsset; readonly state: AssetState }[],
  nowMs: number,
): Status {
  const before = environment.status?.conditions ?? [];
  const all = assets.map(({ wanted, state }) => conditionOf(before, wanted, state, nowMs));
  // Printer columns show the first: what is not ready stands before what is.
  const conditions = all.toSorted((a, b) => Number(a.status === 'True') - Number(b.status === 'True'));
  const wait = waitOf(assets.map(({ state }) => state));
  const version = /\/(v\d+\.\d+\.\d+[^/]*)\//.exec(environment.spec?.kernel?.url ?? '')?.[1];
  const checksum = checksumOf(assets.map(({ state }) => state));
  return {
    conditions,
    ...(wait === undefined ? {} : { waitingFor: WAIT_REASONS[wait].short }),
    ...(version === undefined ? {} : { version }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/** What an Environment waits for. */
export function waitOf(states: readonly AssetState[]): WaitReason | undefined {
  if (states.some(({ is }) => is === 'failed')) return 'EnvironmentBroken';
  return states.some(({ is }) => is === 'fetching') ? 'EnvironmentDownloading' : undefined;
}

function conditionOf(
  before: readonly Condition[],
  { url, sha512 }: WantedAsset,
  state: AssetState,
  nowMs: number,
): Condition {
  const status = state.is === 'there' ? 'True' : 'False';
  const old = before.find((condition) => condition.type === 'Ready' && condition.url === url);
  const unchanged = old?.status === status ? old.lastTransitionTime : undefined;
  return {
    url,
    ...(sha512 === '' ? {} : { sha512 }),
    status,
    type: 'Ready',
    reason: state.is === 'there' ? 'Downloaded' : state.is === 'fetching' ? 'Downloading' : state.reason,
    message: messageOf(state),
    lastTransitionTime: unchanged ?? timeText(nowMs),
  };
}

function messageOf(state: AssetState): string {
  switch (state.is) {
    case 'there':
      return state.verified
        ? 'The file is there and its sha512 is right.'
        : 'The file is there; no sha512 was asked for.';
    case 'fetching':
      return 'The file is being downloaded.';
    case 'failed':
      return state.message;
  }
}

function checksumOf(states: readonly AssetState[]): NonNullable<Status['checksum']> | undefined {
  if (states.some((state) => state.is === 'failed' && state.reason === 'ChecksumMismatch')) return 'mismatch';
  if (states.length === 0 || states.some(({ is }) => is !== 'there')) return undefined;
  return states.every((state) => state.is === 'there' && state.verified) ? 'verified' : 'unverified';
}
