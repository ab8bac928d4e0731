import type { Server, ServerBinding, WaitReason } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';

/** Wipes without an allocation in between after which a Server is parked. design §4 */
export const WIPE_LOOP_LIMIT = 3;
/** Wipes of released Servers per hour. design §4 */
export const RELEASED_WIPES_PER_HOUR = 60;
const HOUR_MS = 3_600_000;

/** May this Server be wiped? The message says why not and what to do. */
export type WipeVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: WaitReason; readonly message: string };

const ARRIVING =
  'the Server was copied here from another plane and what runs on it may still be on its way; next: it is bound, or wiped when nothing comes';

/** Is the Server left alone by its controllers? */
export function isServerPaused({ metadata: { annotations = {} } }: Server): boolean {
  return [ANNOTATIONS.pause, ANNOTATIONS.capiPaused, ANNOTATIONS.deleteForMove].some((name) =>
    Object.hasOwn(annotations, name),
  );
}

/**
 * The one guard before data is destroyed, but for the budget: accepted, not paused, not protected, not in use, not bound once
 * without a release that we saw, not wiped over and over. Both objects are read through the API, the binding first. Pure.
 */
export function judgeWipe(server: Server, binding: ServerBinding | undefined): WipeVerdict {
  const annotations = server.metadata.annotations ?? {};
  const no = (reason: WaitReason, message: string): WipeVerdict => ({ ok: false, reason, message });
  if (server.spec?.accepted !== true) return no('WaitingForAccept', 'the Server is not accepted; next: accept it');
  if (isServerPaused(server)) return no('Paused', 'the Server is paused; next: take the annotation away');
  if (binding !== undefined) return no('Releasing', 'the Server is in use; it is wiped after its release');
  if (Object.hasOwn(annotations, ANNOTATIONS.boundTo)) {
    const message = `the ServerBinding went without a release that was seen; next: take ${ANNOTATIONS.boundTo} away to have the Server wiped, or restore the ServerBinding`;
    return no('BindingVanished', message);
  }
  if (server.status?.arrivedAt !== undefined) return no('Arriving', ARRIVING);
  if (Object.hasOwn(annotations, ANNOTATIONS.protect)) {
    return no('Protected', `the Server carries ${ANNOTATIONS.protect}; next: take it away to have the Server wiped`);
  }
  const wipes = server.status?.wipe?.withoutAllocation ?? 0;
  if (wipes >= WIPE_LOOP_LIMIT && !Object.hasOwn(annotations, ANNOTATIONS.resetLoop)) {
    const message = `the Server was wiped ${wipes} times without an allocation; next: find out why, then set ${ANNOTATIONS.resetLoop}`;
    return no('LoopDetected', message);
  }
  return { ok: true };
}

/** Limits how many released Servers are wiped per hour. First wipes are unlimited. */
export interface WipeBudget {
  /** Could this release be wiped now? True also when it was already counted. */
  has(server: Server): boolean;
  /** Count this release once, however often it is asked. False when the budget is spent. */
  take(server: Server): boolean;
}

/**
 * Make the budget. `servers` are those known at the start, so that a restart does not forget; it is read at the first use.
 */
export function createWipeBudget(
  clock: Clock,
  servers: () => readonly Server[],
  limit: number = RELEASED_WIPES_PER_HOUR,
): WipeBudget {
  let counted: Map<string, number> | undefined;
  const releaseOf = ({ metadata, status }: Server): string | undefined =>
    status?.released === undefined ? undefined : `${metadata.name} ${status.released.binding ?? status.released.time}`;
  const load = (): Map<string, number> => {
    const found = new Map<string, number>();
    for (const server of servers()) {
      const release = releaseOf(server);
      const at = Date.parse(server.status?.wipe?.requestedAt ?? '');
      if (release !== undefined && at >= Date.parse(server.status?.released?.time ?? '')) found.set(release, at);
    }
    return found;
  };
  const current = (): Map<string, number> => {
    counted ??= load();
    for (const [release, at] of counted) if (at <= clock.nowMs() - HOUR_MS) counted.delete(release);
    return counted;
  };
  const has = (server: Server): boolean => {
    const release = releaseOf(server);
    return release === undefined || current().has(release) || current().size < limit;
  };
  return {
    has,
    take(server) {
      if (!has(server)) return false;
      const release = releaseOf(server);
      if (release !== undefined && !current().has(release)) current().set(release, clock.nowMs());
      return true;
    },
  };
}
