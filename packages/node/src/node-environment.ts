import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import type { Kernel } from './kernel/kernel.ts';

/** What every area of the daemon receives from the composition root. */
export interface NodeEnvironment {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly kernel: Kernel;
  readonly settings: NodeSettings;
}

export interface NodeSettings {
  /** Folder of the daemon's own files; absolute. */
  readonly stateDir: string;
  /** Kernel arguments to honour. */
  readonly cmdline: string;
  /** Also what the config does not name: default DHCP, renaming, host name, `lo`. */
  readonly manageAll: boolean;
  /** Whether resolv.conf, hosts, the CA bundle and the host name of this host are written. */
  readonly hostFiles: boolean;
  /** Leave everything as it is when the daemon stops. */
  readonly leave: boolean;
  /** The machine's UUID. */
  readonly uuid: string;
  /** Talos version that is told: `v1.13.9`. */
  readonly talosVersion: string;
  /** Where `/`, `/sys` and `/proc` are; `/` but in tests. */
  readonly root: string;
}
