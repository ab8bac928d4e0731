import type { TimelineEntry } from '../timeline.ts';

/** What a boot that stopped looks like from here. */
export interface BootVerdict {
  /** Id of the rule. */
  readonly rule: string;
  readonly cause: string;
  readonly next: string;
  readonly do: readonly string[];
  /** The last thing that was seen. */
  readonly last: TimelineEntry;
}

interface StageRule {
  readonly rule: string;
  /** Silence after this stage that means something, in milliseconds. */
  readonly afterMs: number;
  readonly cause: string;
  readonly do: readonly string[];
}

const SEE_CONSOLE = 'look at the console of the machine';

/** What silence after each stage means (spec/ux.md section 5). */
const SILENCE_AFTER: Readonly<Record<string, StageRule>> = {
  Discover: {
    rule: 'ProxyIgnored',
    afterMs: 15_000,
    cause: 'The machine asks for an address but follows no boot offer: none was made, or the firmware ignored it.',
    do: ['give next-server and filename in the main DHCP server', 'look for a firewall for UDP 67 and 4011'],
  },
  Offered: {
    rule: 'ProxyIgnored',
    afterMs: 15_000,
    cause: 'The firmware ignored the proxy offer, or another boot server answered last.',
    do: ['give next-server and filename in the main DHCP server', 'look for another boot server in this network'],
  },
  Requested: {
    rule: 'TftpStalled',
    afterMs: 30_000,
    cause: 'The machine took the boot offer but does not fetch the loader: TFTP (UDP 69) is blocked on the way.',
    do: ['check firewalls for UDP 69 and high ports'],
  },
  Tftp: {
    rule: 'ScriptUnreachable',
    afterMs: 60_000,
    cause:
      'The loader was fetched but never asked for its script: the advertised address is not reachable from the machine.',
    do: ['bloomery serve --advertise HOST[:PORT]', SEE_CONSOLE],
  },
  Script: {
    rule: 'KernelStalled',
    afterMs: 60_000,
    cause:
      'The boot script was served but the kernel was never asked for: the loader is too old, or for another architecture.',
    do: [SEE_CONSOLE],
  },
  Kernel: {
    rule: 'KernelStalled',
    afterMs: 180_000,
    cause:
      'The kernel was fetched but nothing came back: the transfer, the initial ramdisk or the kernel start failed.',
    do: [SEE_CONSOLE, 'kubectl get environments'],
  },
  Initrd: {
    rule: 'AgentSilent',
    afterMs: 180_000,
    cause:
      'Kernel and initial ramdisk were fetched but what they start is silent: no driver for the network card, or our address is not reachable.',
    do: [SEE_CONSOLE],
  },
  AgentHello: {
    rule: 'AgentSilent',
    afterMs: 60_000,
    cause: 'The agent started but did not register.',
    do: [SEE_CONSOLE],
  },
};

const LOOP_WINDOW_MS = 30 * 60_000;
const LOOP_COUNT = 3;

/**
 * What the boot marks of one machine say. Pure.
 *
 * @param entries Oldest first; only those of source `boot` and `agent` count.
 * @returns undefined when the last boot got through or still has time.
 */
export function bootVerdict(entries: readonly TimelineEntry[], nowMs: number): BootVerdict | undefined {
  const boot = entries.filter((entry) => entry.source === 'boot' || entry.source === 'agent');
  const last = boot.at(-1);
  if (last === undefined) return undefined;
  const rule = Object.hasOwn(SILENCE_AFTER, last.stage) ? SILENCE_AFTER[last.stage] : undefined;
  const silentMs = nowMs - Date.parse(last.time);
  if (rule === undefined || silentMs < rule.afterMs || hasGoneOn(entries, last)) return undefined;
  const next = 'The machine is booted again when the reboot timeout passes.';
  const times = boot.filter((e) => e.event === last.event && nowMs - Date.parse(e.time) < LOOP_WINDOW_MS).length;
  if (times >= LOOP_COUNT) {
    const cause = `The machine has stopped at this stage ${times} times in 30 minutes. ${rule.cause}`;
    return { rule: 'BootLoop', cause, next, do: rule.do, last };
  }
  return { rule: rule.rule, cause: rule.cause, next, do: rule.do, last };
}

/** The operating system reported after the last mark of the boot services. */
function hasGoneOn(entries: readonly TimelineEntry[], last: TimelineEntry): boolean {
  return entries.some((entry) => entry.seq > last.seq && ['talos', 'link', 'config', 'kernel'].includes(entry.source));
}
