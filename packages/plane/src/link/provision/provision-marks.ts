import type { Clock } from '@bloomery/ports';
import type { TimelineRecorder } from '../../insight/timeline.ts';

/** What a machine got, as its timeline tells it. */
export interface Provisioned {
  readonly server: string;
  /** From which it called. */
  readonly caller: string;
  /** Bare link address. */
  readonly address: string;
  readonly mode: 'udp' | 'tunnel';
  readonly talosVersion?: string;
  /** Name of the join token. */
  readonly joinToken?: string;
}

interface Told {
  /** When each of the facts was told last. */
  readonly atMs: Map<string, number>;
  /** Calls that were not told since then. */
  repeats: number;
}

/** The same machine with the same facts is told again after this time; a machine whose link does not come up asks for ever. */
const AGAIN_MS = 600_000;
/** So many different things are told of a machine within that time: two that share a UUID take turns for ever. */
const KINDS_MAX = 6;
const MACHINES_MAX = 20_000;
const VERSION_MAX = 64;

/**
 * Marks on the timeline for provisions: one when something is new, then at most one per ten minutes, which says how often
 * the machine asked in between.
 */
export function createProvisionMarks(timeline: TimelineRecorder, clock: Clock): (provisioned: Provisioned) => void {
  const machines = new Map<string, Told>();
  return ({ server, caller, address, mode, talosVersion, joinToken }) => {
    const facts = {
      address,
      mode,
      ...(talosVersion === undefined ? {} : { talosVersion: talosVersion.slice(0, VERSION_MAX) }),
      ...(joinToken === undefined ? {} : { joinToken }),
    };
    const told = machines.get(server) ?? { atMs: new Map<string, number>(), repeats: 0 };
    machines.delete(server);
    machines.set(server, told);
    const oldest = machines.size > MACHINES_MAX ? machines.keys().next().value : undefined;
    if (oldest !== undefined) machines.delete(oldest);
    const nowMs = clock.nowMs();
    for (const [text, atMs] of told.atMs) if (nowMs - atMs >= AGAIN_MS) told.atMs.delete(text);
    const text = JSON.stringify([caller, facts]);
    if (told.atMs.has(text) || told.atMs.size >= KINDS_MAX) {
      told.repeats += 1;
      return;
    }
    told.atMs.set(text, nowMs);
    const { repeats } = told;
    told.repeats = 0;
    timeline.record({
      source: 'link',
      about: { server, address: caller },
      stage: 'Link',
      severity: 'info',
      event: 'LinkProvisioned',
      summary: `Asked for its link address and got ${address}${repeats === 0 ? '' : `; asked ${repeats} more times since the last entry`}`,
      facts: repeats === 0 ? facts : { ...facts, repeats },
    });
  };
}
