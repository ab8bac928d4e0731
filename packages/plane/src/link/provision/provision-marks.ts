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

interface Last {
  readonly text: string;
  readonly atMs: number;
  repeats: number;
}

/** The same machine with the same facts is told again after this time; a machine whose link does not come up asks for ever. */
const AGAIN_MS = 600_000;
const MACHINES_MAX = 20_000;
const VERSION_MAX = 64;

/**
 * Marks on the timeline for provisions: one when something is new, then at most one per ten minutes, which says how often
 * the machine asked in between.
 */
export function createProvisionMarks(timeline: TimelineRecorder, clock: Clock): (provisioned: Provisioned) => void {
  const lasts = new Map<string, Last>();
  return ({ server, caller, address, mode, talosVersion, joinToken }) => {
    const facts = {
      address,
      mode,
      ...(talosVersion === undefined ? {} : { talosVersion: talosVersion.slice(0, VERSION_MAX) }),
      ...(joinToken === undefined ? {} : { joinToken }),
    };
    const text = JSON.stringify([caller, facts]);
    const last = lasts.get(server);
    const nowMs = clock.nowMs();
    if (last?.text === text && nowMs - last.atMs < AGAIN_MS) {
      last.repeats += 1;
      return;
    }
    lasts.delete(server);
    lasts.set(server, { text, atMs: nowMs, repeats: 0 });
    const oldest = lasts.size > MACHINES_MAX ? lasts.keys().next().value : undefined;
    if (oldest !== undefined) lasts.delete(oldest);
    const repeats = last?.repeats ?? 0;
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
