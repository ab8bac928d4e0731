import { type EventRecorder, type ObjectCache, type ObjectClient, patchStatus } from '@bloomery/kube';
import { type ServerBinding, serverBinding } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import { recordAboutMachine } from '../bound-objects.ts';
import type { LinkLook } from './link-look.ts';
import type { LinkPeers } from './link-peers.ts';
import { isReportDue, type LinkReport, type LinkSight, linkReport, type ReportHistory } from './link-report.ts';
import type { LinkPeer, Member } from './read-member.ts';

/** What reporting needs. */
export interface LinkStateDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly peers: Pick<LinkPeers, 'get' | 'peers' | 'changes'>;
  readonly look: LinkLook;
  /** Since when the device runs; undefined: there is none. */
  readonly deviceSinceMs: () => number | undefined;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 10_000;
const LOOK_AFTER_CHANGE_MS = 2_000;
const LOOK_AT_MANY_EVERY_MS = 30_000;
const MANY_PEERS = 1_000;
/** Writes at the same time. The store commits together what comes together. */
const WRITES = 32;

/**
 * Look at the device every 10 s, and some seconds after it came or a machine asked for its address (with more than 1,000
 * machines every 30 s only), and write what changed to the ServerBindings, until the signal aborts. A look asks the device
 * once. Never rejects.
 */
export async function reportLinkStates(deps: LinkStateDeps, signal: AbortSignal): Promise<void> {
  const history = new Map<string, ReportHistory>();
  let seen = 0;
  while (!signal.aborted) {
    try {
      await deps.look.look();
      await writeReports(history, deps, signal);
    } catch (error) {
      deps.log.warn('link.state_unknown', { error: errorText(error) });
    }
    if (history.size > MANY_PEERS) await deps.clock.sleep(LOOK_AT_MANY_EVERY_MS, signal);
    else seen = await untilNextLook(deps, seen, signal);
  }
}

/** Returns the count of changes up to which the next look is good. */
async function untilNextLook({ clock, peers }: LinkStateDeps, seen: number, signal: AbortSignal): Promise<number> {
  for (let waitedMs = 0; waitedMs < LOOK_EVERY_MS && !signal.aborted; waitedMs += LOOK_AFTER_CHANGE_MS) {
    await clock.sleep(LOOK_AFTER_CHANGE_MS, signal);
    const changes = peers.changes();
    if (changes === seen) continue;
    await clock.sleep(LOOK_AFTER_CHANGE_MS, signal);
    return changes;
  }
  return seen;
}

interface Due {
  readonly binding: ServerBinding;
  readonly report: LinkReport;
}

async function writeReports(
  history: Map<string, ReportHistory>,
  deps: LinkStateDeps,
  signal: AbortSignal,
): Promise<void> {
  const due = dueReports(history, deps);
  for (let at = 0; at < due.length && !signal.aborted; at += WRITES) {
    await Promise.all(
      due.slice(at, at + WRITES).map(async ({ binding, report }) => {
        const { name } = binding.metadata;
        await writeReport(binding, report, deps);
        const firstSeenMs = history.get(name)?.firstSeenMs ?? 0;
        history.set(name, { firstSeenMs, writtenMs: deps.clock.nowMs() });
      }),
    );
  }
}

/** What is to be written; forgets machines that are gone. */
function dueReports(history: Map<string, ReportHistory>, deps: LinkStateDeps): readonly Due[] {
  const nowMs = deps.clock.nowMs();
  const due: Due[] = [];
  const known = new Set<string>();
  for (const [name, peer] of deps.peers.peers()) {
    known.add(name);
    const past = history.get(name) ?? { firstSeenMs: nowMs, writtenMs: undefined };
    history.set(name, past);
    const binding = deps.cache.get(serverBinding, { name });
    const report = linkReport(sightOf(peer, deps.peers.get(name), deps));
    if (binding === undefined || report === undefined) continue;
    if (isReportDue(binding.status, report, past, nowMs)) due.push({ binding, report });
  }
  for (const name of history.keys()) if (!known.has(name)) history.delete(name);
  return due;
}

/** What is known of one machine's link. */
export function sightOf(
  peer: LinkPeer,
  member: Pick<Member, 'lastHandshakeMs'> | undefined,
  { look, deviceSinceMs, clock }: Pick<LinkStateDeps, 'look' | 'deviceSinceMs' | 'clock'>,
): LinkSight {
  const seen = look.peer(peer.publicKey);
  return {
    mode: peer.mode,
    handshakeMs: seen?.lastHandshakeMs,
    endpoint: seen?.endpoint,
    storedHandshakeMs: member?.lastHandshakeMs || undefined,
    deviceSinceMs: deviceSinceMs(),
    nowMs: clock.nowMs(),
  };
}

async function writeReport(binding: ServerBinding, report: LinkReport, deps: LinkStateDeps): Promise<void> {
  const { name } = binding.metadata;
  const { condition, ...status } = report;
  try {
    await patchStatus(deps, serverBinding, { name }, () => ({ ...status, conditions: [condition] }));
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    return;
  }
  if (binding.status?.link !== report.link && report.link !== 'never') tell(binding, report.link, deps);
}

/** A link that comes or goes leaves a mark on the timeline, and Events on Server and MetalMachine. */
function tell(binding: ServerBinding, link: 'up' | 'down', deps: LinkStateDeps): void {
  const { name } = binding.metadata;
  const [event, summary, severity, type] =
    link === 'up'
      ? (['LinkUp', 'The management link is up', 'info', 'Normal'] as const)
      : (['LinkDown', 'The management link is silent', 'warning', 'Warning'] as const);
  deps.timeline.record({ source: 'link', about: { server: name }, stage: 'Link', severity, event, summary });
  recordAboutMachine(name, binding, { type, reason: event, message: summary }, deps);
}
