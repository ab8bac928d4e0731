import type { ConditionDraft } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import { type ServerBinding, timeText } from '@bloomery/model';
import { LINK_DOWN_MS } from '@bloomery/siderolink';
import type { LinkMode } from './read-member.ts';
import { isStorableEndpoint } from './stored-endpoint.ts';

const REFRESH_MS = 600_000;
const REWRITE_MS = 30_000;
/** A machine that was just given its address is about to call. */
const NEVER_AFTER_MS = 30_000;

/** Whether a machine is linked. */
export type LinkState = 'up' | 'down' | 'never';

/** What is known of a machine's link at one moment. */
export interface LinkSight {
  readonly mode: LinkMode;
  /** Milliseconds since the epoch, by the device; undefined: none yet. */
  readonly handshakeMs: number | undefined;
  /** By the device. */
  readonly endpoint: string | undefined;
  /** Milliseconds since the epoch, of an earlier device: by the binding's status. */
  readonly storedHandshakeMs: number | undefined;
  /** Since when the device runs; undefined: there is none. */
  readonly deviceSinceMs: number | undefined;
  readonly nowMs: number;
}

/** What `status` of a ServerBinding says about the link. */
export interface LinkReport {
  readonly link: LinkState;
  /** RFC 3339 */
  readonly lastHandshake?: string;
  /** `host:port`; null: there is none to be kept; absent: what was written stays. */
  readonly linkEndpoint?: string | null;
  readonly condition: ConditionDraft;
}

/**
 * What a machine's link is now. undefined: nobody can say yet, because the device is too young to have heard of a machine
 * that was linked before. Pure.
 */
export function linkState({ handshakeMs, storedHandshakeMs, deviceSinceMs, nowMs }: LinkSight): LinkState | undefined {
  if (handshakeMs !== undefined) return nowMs - handshakeMs < LINK_DOWN_MS ? 'up' : 'down';
  if (storedHandshakeMs === undefined) return 'never';
  return nowMs - Math.max(storedHandshakeMs, deviceSinceMs ?? 0) < LINK_DOWN_MS ? undefined : 'down';
}

/** The status to write for what is known; undefined: nobody can say yet. Pure. */
export function linkReport(sight: LinkSight): LinkReport | undefined {
  const link = linkState(sight);
  if (link === undefined) return undefined;
  const atMs = sight.handshakeMs ?? sight.storedHandshakeMs;
  const { endpoint, mode } = sight;
  const isStored = link === 'up' && endpoint !== undefined && isStorableEndpoint(endpoint);
  return {
    link,
    ...(atMs === undefined ? {} : { lastHandshake: timeText(atMs) }),
    // What a tunnelled machine comes from is our own end of its tunnel.
    ...(mode === 'tunnel' ? { linkEndpoint: null } : isStored ? { linkEndpoint: endpoint } : {}),
    condition: { type: 'SideroLinkConnected', ...conditionOf(link, sight, atMs) },
  };
}

const LAST_HANDSHAKE = '; last handshake ';
const DEVICE_DOWN = 'the WireGuard device of this plane is down: see `bloomery siderolink status`';
const NEVER_HEARD = {
  udp: 'The machine has its address, but its WireGuard was not heard yet; next: it goes on trying. If UDP is blocked, let it use the tunnel',
  tunnel: 'The machine has its address, but nothing came through the gRPC tunnel yet; next: it goes on trying',
} as const;

function conditionOf(link: LinkState, sight: LinkSight, atMs: number | undefined): Omit<ConditionDraft, 'type'> {
  if (link === 'up') {
    const path =
      sight.mode === 'tunnel'
        ? 'WireGuard through the gRPC tunnel'
        : `WireGuard over UDP from ${sight.endpoint ?? '?'}`;
    return { status: 'True', message: `${path}${LAST_HANDSHAKE}${atMs === undefined ? '?' : timeText(atMs)}` };
  }
  const isDown = sight.deviceSinceMs === undefined;
  if (link === 'never') {
    const message = isDown ? `The machine has its address; next: ${DEVICE_DOWN}` : NEVER_HEARD[sight.mode];
    return { status: 'False', severity: 'Info', reason: 'LinkNeverUp', message };
  }
  const since = atMs === undefined ? 'ever' : timeText(atMs);
  const next = isDown ? DEVICE_DOWN : 'the machine asks for its address again by itself';
  return {
    status: 'False',
    severity: 'Warning',
    reason: 'LinkDown',
    message: `No WireGuard handshake since ${since}; next: ${next}`,
  };
}

/** When a machine was first seen and last written about, in this process. */
export interface ReportHistory {
  readonly firstSeenMs: number;
  readonly writtenMs: number | undefined;
}

/**
 * True when a report is worth a write: another state at once, other words or another endpoint after 30 s, a newer handshake
 * after ten minutes. Pure.
 */
export function isReportDue(
  have: ServerBinding['status'],
  next: LinkReport,
  { firstSeenMs, writtenMs }: ReportHistory,
  nowMs: number,
): boolean {
  if (have?.link !== next.link) {
    if (next.link !== 'never') return true;
    return have?.link === undefined && nowMs - firstSeenMs >= NEVER_AFTER_MS;
  }
  const isOther =
    withoutTime(findCondition(have.conditions, next.condition.type)?.message) !== withoutTime(next.condition.message) ||
    (next.linkEndpoint !== undefined && have.linkEndpoint !== (next.linkEndpoint ?? undefined));
  if (isOther && (writtenMs === undefined || nowMs - writtenMs >= REWRITE_MS)) return true;
  if (next.lastHandshake === undefined || have.lastHandshake === undefined)
    return have.lastHandshake !== next.lastHandshake;
  return Date.parse(next.lastHandshake) - Date.parse(have.lastHandshake) >= REFRESH_MS;
}

/** A machine that is up makes a handshake every two minutes: that alone is no other message. */
function withoutTime(message = ''): string {
  return message.split(LAST_HANDSHAKE, 1)[0] ?? '';
}
