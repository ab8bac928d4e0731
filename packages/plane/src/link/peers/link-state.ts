import { type EventRecorder, type ObjectCache, type ObjectClient, patchStatus } from '@bloomery/kube';
import { metalMachine, type ServerBinding, server, serverBinding, timeText } from '@bloomery/model';
import { type Clock, errorText, type Logger } from '@bloomery/ports';
import type { PeerState } from '@bloomery/wire';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { LinkPeers } from './link-peers.ts';

/** Without a handshake for so long a machine counts as gone (180 + 5 + 90 s). */
export const LINK_STALE_MS = 275_000;
const REFRESH_MS = 600_000;

/** What `status` of a ServerBinding says about the link. */
export interface LinkReport {
  readonly link: 'up' | 'down' | 'never';
  /** RFC 3339 */
  readonly lastHandshake?: string;
}

/** What a peer's handshake means now. Pure. */
export function linkReport(peer: Pick<PeerState, 'lastHandshakeMs'> | undefined, nowMs: number): LinkReport {
  const at = peer?.lastHandshakeMs;
  if (at === undefined) return { link: 'never' };
  return { link: nowMs - at < LINK_STALE_MS ? 'up' : 'down', lastHandshake: timeText(at) };
}

/** True when a report is worth a write: another state, or a handshake time that is ten minutes old. Pure. */
export function isReportDue(have: ServerBinding['status'], next: LinkReport): boolean {
  if (have?.link !== next.link) return next.link !== 'never' || have?.link === undefined;
  if (next.lastHandshake === undefined || have.lastHandshake === undefined)
    return have.lastHandshake !== next.lastHandshake;
  return Date.parse(next.lastHandshake) - Date.parse(have.lastHandshake) >= REFRESH_MS;
}

/** What reporting needs. */
export interface LinkStateDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly peers: LinkPeers;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Look at all peers once and write what changed to the ServerBindings. Never throws. */
export async function reportLinkStates(deps: LinkStateDeps): Promise<void> {
  try {
    const state = await deps.peers.state();
    for (const peer of state?.peers ?? []) {
      const name = deps.peers.serverWithKey(peer.publicKey) ?? '';
      const binding = deps.cache.get(serverBinding, { name });
      const next = linkReport(peer, deps.clock.nowMs());
      if (binding !== undefined && isReportDue(binding.status, next)) await writeReport(binding, next, deps);
    }
  } catch (error) {
    deps.log.warn('link.state_unknown', { error: errorText(error) });
  }
}

async function writeReport(binding: ServerBinding, next: LinkReport, deps: LinkStateDeps): Promise<void> {
  const { name } = binding.metadata;
  const condition = {
    type: 'SideroLinkConnected',
    ...(next.link === 'up'
      ? { status: 'True' as const }
      : { status: 'False' as const, severity: 'Warning' as const, reason: 'LinkDown', message: downMessage(next) }),
  };
  const status = { ...next, ...(next.link === 'never' ? {} : { conditions: [condition] }) };
  await patchStatus(deps, serverBinding, { name }, () => status);
  const before = binding.status?.link;
  if (before === next.link || next.link === 'never') return;
  const event = next.link === 'up' ? 'LinkUp' : 'LinkDown';
  const summary = next.link === 'up' ? 'The management link is up' : 'The management link is silent';
  const severity = next.link === 'up' ? 'info' : 'warning';
  deps.timeline.record({ source: 'link', about: { server: name }, stage: 'Link', severity, event, summary });
  const ref = binding.spec?.metalMachineRef;
  const machineKey = { name: ref?.name ?? '', namespace: ref?.namespace ?? 'default' };
  for (const about of [deps.cache.get(server, { name }), deps.cache.get(metalMachine, machineKey)]) {
    const type = next.link === 'up' ? 'Normal' : 'Warning';
    if (about !== undefined) deps.events.record(about, { type, reason: event, message: summary });
  }
}

function downMessage(next: LinkReport): string {
  return `No WireGuard handshake since ${next.lastHandshake ?? 'ever'}; next: the machine asks for its address again by itself`;
}
