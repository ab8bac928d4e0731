import { type Clock, errorText, type Logger } from '@bloomery/ports';
import type { LinkPeers } from './link-peers.ts';

/** Machines called in one request, and the pause after it: 500 a second. */
const CALLS_PER_ROUND = 50;
const ROUND_MS = 100;

/**
 * Call machines at their stored endpoints one after another, 500 a second, so that thousands of answers are no herd. The
 * device repeats a call by itself for 90 s; a machine that calls from elsewhere meanwhile is heard there. Never rejects.
 */
export async function callPeers(
  publicKeys: readonly string[],
  deps: { readonly peers: Pick<LinkPeers, 'call'>; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  try {
    for (let at = 0; at < publicKeys.length && !signal.aborted; at += CALLS_PER_ROUND) {
      await deps.peers.call(publicKeys.slice(at, at + CALLS_PER_ROUND));
      await deps.clock.sleep(ROUND_MS, signal);
    }
  } catch (error) {
    deps.log.debug('link.peers_not_called', { error: errorText(error) });
  }
}
