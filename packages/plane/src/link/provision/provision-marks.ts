import { type Clock, rememberNewest } from '@bloomery/ports';
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

/**
 * Marks on the timeline for provisions. The same is told again after ten minutes, with the number of calls in between, or
 * when the machine was told the opposite since; six marks of one machine in ten minutes at most, whatever happens.
 */
export interface ProvisionMarks {
  provisioned(provisioned: Provisioned): void;
  /** Somebody who asked for this machine's address was refused. `why` is half a sentence for people. */
  refused(server: string, caller: string, why: string): void;
}

interface Told {
  /** When each thing was told last. */
  readonly atMs: Map<string, number>;
  /** When a mark was made, whichever. */
  readonly marksMs: number[];
  last: 'LinkProvisioned' | 'LinkRefused' | undefined;
  /** Calls that were not told since the last mark. */
  repeats: number;
}

/** A machine whose link does not come up asks for ever. */
const AGAIN_MS = 600_000;
/** Two machines that share a UUID take turns for ever. */
const MARKS_MAX = 6;
const MACHINES_MAX = 20_000;
const VERSION_MAX = 64;

/** Make the marks. What was told is remembered for 20,000 machines. */
export function createProvisionMarks(timeline: TimelineRecorder, clock: Clock): ProvisionMarks {
  const machines = new Map<string, Told>();
  const toldOf = (server: string): Told => {
    const told = machines.get(server) ?? { atMs: new Map(), marksMs: [], last: undefined, repeats: 0 };
    rememberNewest(machines, server, told, MACHINES_MAX);
    return told;
  };
  /** The number of calls since the last mark; undefined when this one is not told. */
  const due = (server: string, event: NonNullable<Told['last']>, what: string): number | undefined => {
    const told = toldOf(server);
    const nowMs = clock.nowMs();
    if (told.last !== event) told.atMs.clear();
    for (const [text, atMs] of told.atMs) if (nowMs - atMs >= AGAIN_MS) told.atMs.delete(text);
    while (nowMs - (told.marksMs[0] ?? nowMs) >= AGAIN_MS) told.marksMs.shift();
    if (told.atMs.has(what) || told.marksMs.length >= MARKS_MAX) {
      told.repeats += 1;
      return undefined;
    }
    const { repeats } = told;
    told.atMs.set(what, nowMs);
    told.marksMs.push(nowMs);
    told.last = event;
    told.repeats = 0;
    return repeats;
  };
  return {
    provisioned: ({ server, caller, address, mode, talosVersion, joinToken }) => {
      const facts = {
        address,
        mode,
        ...(talosVersion === undefined ? {} : { talosVersion: talosVersion.slice(0, VERSION_MAX) }),
        ...(joinToken === undefined ? {} : { joinToken }),
      };
      const repeats = due(server, 'LinkProvisioned', JSON.stringify([caller, facts]));
      if (repeats === undefined) return;
      timeline.record({
        source: 'link',
        about: { server, address: caller },
        stage: 'Link',
        severity: 'info',
        event: 'LinkProvisioned',
        summary: `Asked for its link address and got ${address}${timesText(repeats)}`,
        facts: repeats === 0 ? facts : { ...facts, repeats },
      });
    },
    refused: (server, caller, why) => {
      const repeats = due(server, 'LinkRefused', why);
      if (repeats === undefined) return;
      timeline.record({
        source: 'link',
        about: { server },
        stage: 'Link',
        severity: 'warning',
        event: 'LinkRefused',
        summary: `${caller} asked for the link address of this machine and was refused: ${why}${timesText(repeats)}`,
        ...(repeats === 0 ? {} : { facts: { repeats } }),
      });
    },
  };
}

function timesText(repeats: number): string {
  return repeats === 0 ? '' : `; asked ${repeats} more times since the last entry`;
}
