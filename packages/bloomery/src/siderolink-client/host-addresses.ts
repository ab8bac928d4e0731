import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import type { Clock } from '@bloomery/ports';
import { isSiderolinkAddress } from '@bloomery/siderolink';

const SETTLE_MS = 200;
const LOOK_AGAIN_MS = 30_000;
const LINK_LOCAL = /^(fe[89ab][0-9a-f]:|169\.254\.)/i;

/** This host's addresses as it is reached by, without prefix length: no loopback, no link-local, none of SideroLink. */
export function hostAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !LINK_LOCAL.test(entry.address) && !isSiderolinkAddress(entry.address))
    .map((entry) => entry.address);
}

/**
 * Calls back soon after the host's addresses may have changed, as `ip monitor` says; every 30 s where that does not run.
 * Returns the end of it.
 */
export function watchHostAddresses(clock: Clock, onMaybeChanged: () => void): () => void {
  const monitor = spawn('ip', ['monitor', 'address'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let cancel = (): void => {};
  let isOver = false;
  const settle = (): void => {
    cancel();
    cancel = clock.after(SETTLE_MS, onMaybeChanged);
  };
  const look = (): void => {
    if (isOver) return;
    onMaybeChanged();
    cancel = clock.after(LOOK_AGAIN_MS, look);
  };
  monitor.stdout.on('data', settle);
  monitor.on('error', () => {});
  monitor.once('close', look);
  return () => {
    isOver = true;
    cancel();
    monitor.kill();
  };
}
