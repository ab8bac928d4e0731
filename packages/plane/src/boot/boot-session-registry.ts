import { timingSafeEqual } from 'node:crypto';
import { type Clock, type RandomBytes, rememberNewest } from '@bloomery/ports';
import type { BootSessionStore } from './boot-session-file.ts';
import {
  BOOT_MAX_MS,
  type Boot,
  type BootRecord,
  CONFIG_AGAIN_MS,
  CONFIG_MAX_MS,
  isBootExpected,
  isSeenFor,
  type Seen,
} from './boot-session-state.ts';
import type { BootSessions, Refusal, Verdict } from './boot-sessions.ts';

/** What the registry needs. */
export interface BootSessionDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly store: BootSessionStore;
}

/** Machines and hardware addresses remembered; the oldest is forgotten first. */
const REMEMBERED_MAX = 20_000;
const TOKEN_BYTES = 16;
/** The same DHCP client within this time is not written again. */
const SEEN_AGAIN_MS = 1_000;

/** BootSessions that survive a restart through `store`. @see boot-session-state.ts for the windows */
export function createBootSessions({ clock, random, store }: BootSessionDeps): BootSessions {
  const boots = new Map<string, Boot>();
  const seenByMac = new Map<string, Seen>();
  let appended = 0;
  for (const record of store.load()) learn(boots, seenByMac, record);
  store.rewrite(recordsOf(boots, seenByMac));

  const keep = (record: BootRecord): void => {
    learn(boots, seenByMac, record);
    store.append(record);
    appended += 1;
    if (appended <= 4 * (boots.size + seenByMac.size) + 1_000) return;
    appended = 0;
    store.rewrite(recordsOf(boots, seenByMac));
  };
  const checkToken = (server: string, token: string | undefined): Boot | Refusal => {
    const boot = boots.get(server);
    if (boot?.issued === undefined) return 'NoBootExpected';
    if (clock.nowMs() - boot.issued.atMs >= BOOT_MAX_MS) return 'Expired';
    if (token === undefined || token === '') return 'TokenMissing';
    return sameText(token, boot.issued.token) ? boot : 'TokenWrong';
  };

  return {
    expectPowered: (server) => keep({ type: 'boot', boot: { server, expectedAtMs: clock.nowMs() } }),
    expectSeen: (mac, server) => {
      const atMs = clock.nowMs();
      const before = seenByMac.get(mac);
      if (before !== undefined && before.server === server && atMs - before.atMs < SEEN_AGAIN_MS) return;
      keep({ type: 'seen', seen: { mac, atMs, ...(server === undefined ? {} : { server }) } });
    },
    issue: (server, mac, address, { ownConfigArgument = false, isForeignCard = false } = {}) => {
      // Before anything else: a stranger must neither get the token nor end the boot of the machine.
      if (isForeignCard) return { ok: false, reason: 'NoBootExpected' };
      const nowMs = clock.nowMs();
      const boot = boots.get(server);
      const announced = seenByMac.get(mac);
      const seen = announced?.server === undefined || announced.server === server ? announced : undefined;
      const { issued } = boot ?? {};
      if (issued !== undefined && !isSeenFor(boot, seen, nowMs)) {
        if (issued.address !== address) return { ok: false, reason: 'WrongAddress' };
        if (nowMs - issued.atMs >= BOOT_MAX_MS) return { ok: false, reason: 'Expired' };
        if (issued.ownConfigArgument !== ownConfigArgument) {
          keep({ type: 'boot', boot: { server, issued: { ...issued, ownConfigArgument } } });
        }
        return { ok: true, token: issued.token };
      }
      if (!isBootExpected(boot, seen, nowMs)) return { ok: false, reason: 'NoBootExpected' };
      const token = Buffer.from(random(TOKEN_BYTES)).toString('base64url');
      keep({ type: 'boot', boot: { server, issued: { atMs: nowMs, address, token, ownConfigArgument } } });
      return { ok: true, token };
    },
    checkConfig: (server, token, address) => {
      const nowMs = clock.nowMs();
      const checked = checkToken(server, token);
      const boot = checked === 'TokenMissing' ? boots.get(server) : checked;
      if (typeof boot === 'string' || boot?.issued === undefined) return refuse(checked);
      const { issued } = boot;
      if (checked === 'TokenMissing') {
        if (!issued.ownConfigArgument) return refuse('TokenMissing');
        if (issued.address !== address) return refuse('WrongAddress');
      }
      if (nowMs - issued.atMs >= CONFIG_MAX_MS) return refuse('Expired');
      if (issued.fetchedAtMs === undefined) {
        keep({ type: 'boot', boot: { server, issued: { ...issued, fetchedAtMs: nowMs } } });
      } else if (nowMs - issued.fetchedAtMs >= CONFIG_AGAIN_MS) return refuse('Expired');
      return { ok: true };
    },
    checkAgent: (server, token) => {
      const checked = checkToken(server, token);
      return typeof checked === 'string' ? { ok: false, reason: checked } : { ok: true };
    },
    close: (server) => {
      if (boots.has(server)) keep({ type: 'closed', server });
    },
  };
}

/** Sidero's open behaviour (`--insecure-metadata`): everybody may read every configuration and report for every machine. */
export const openBootSessions: BootSessions = {
  expectPowered() {},
  expectSeen() {},
  issue: () => ({ ok: true, token: '' }),
  checkConfig: () => ({ ok: true }),
  checkAgent: () => ({ ok: true }),
  close() {},
};

function learn(boots: Map<string, Boot>, seenByMac: Map<string, Seen>, record: BootRecord): void {
  if (record.type === 'boot') rememberNewest(boots, record.boot.server, record.boot, REMEMBERED_MAX);
  else if (record.type === 'seen') rememberNewest(seenByMac, record.seen.mac, record.seen, REMEMBERED_MAX);
  else boots.delete(record.server);
}

function recordsOf(boots: ReadonlyMap<string, Boot>, seenByMac: ReadonlyMap<string, Seen>): BootRecord[] {
  return [
    ...[...boots.values()].map((boot): BootRecord => ({ type: 'boot', boot })),
    ...[...seenByMac.values()].map((seen): BootRecord => ({ type: 'seen', seen })),
  ];
}

function refuse(reason: Boot | Refusal): Verdict {
  return { ok: false, reason: typeof reason === 'string' ? reason : 'NoBootExpected' };
}

function sameText(a: string, b: string): boolean {
  const x = Buffer.from(a);
  const y = Buffer.from(b);
  return x.byteLength === y.byteLength && timingSafeEqual(x, y);
}
