/** One machine's network boot, from the moment it is expected. Times are milliseconds since the epoch. */
export interface Boot {
  readonly server: string;
  /** We powered the machine, and nobody asked for its script since. */
  readonly expectedAtMs?: number;
  /** The script was given to the first asker. */
  readonly issued?: {
    readonly atMs: number;
    readonly address: string;
    readonly token: string;
    /** The configuration may be read from `address` without the token. */
    readonly ownConfigArgument: boolean;
    /** First successful read of the configuration. */
    readonly fetchedAtMs?: number;
  };
}

/** A DHCP packet that announces a network boot. */
export interface Seen {
  readonly mac: string;
  readonly atMs: number;
  /** Which Server the packet names. */
  readonly server?: string;
}

/** A change of what is known, as it is written to disk. */
export type BootRecord =
  | { readonly type: 'boot'; readonly boot: Boot }
  | { readonly type: 'seen'; readonly seen: Seen }
  | { readonly type: 'closed'; readonly server: string };

/** A machine that we powered has this long to ask for its script: big machines test their memory first. */
export const POWERED_WINDOW_MS = 30 * 60_000;
/** A machine whose DHCP was seen has this long to ask for its script. */
export const SEEN_WINDOW_MS = 15 * 60_000;
/** Longest life of a boot's token: a full wipe of large disks takes hours. */
export const BOOT_MAX_MS = 24 * 3_600_000;
/** The configuration can be read this long after the script was given, and */
export const CONFIG_MAX_MS = 4 * 3_600_000;
/** this long after it was read for the first time. */
export const CONFIG_AGAIN_MS = 15 * 60_000;

/** Whether a boot of this machine may begin now, given what was seen of it. */
export function isBootExpected(boot: Boot | undefined, seen: Seen | undefined, nowMs: number): boolean {
  if (boot?.expectedAtMs !== undefined && nowMs - boot.expectedAtMs < POWERED_WINDOW_MS) return true;
  return isSeenFor(boot, seen, nowMs);
}

/** Whether DHCP announced a boot later than the one that is under way. */
export function isSeenFor(boot: Boot | undefined, seen: Seen | undefined, nowMs: number): boolean {
  if (seen === undefined || nowMs - seen.atMs >= SEEN_WINDOW_MS) return false;
  return boot?.issued === undefined || seen.atMs > boot.issued.atMs;
}
