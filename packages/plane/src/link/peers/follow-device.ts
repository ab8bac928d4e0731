import type { RunningDevice } from '../bring-up-device.ts';
import { type LinkStateDeps, reportLinkStates } from './link-state.ts';

const LOOK_EVERY_MS = 10_000;

/** Report link states until the device is lost (the reason) or the signal aborts (undefined). */
export async function followDevice(
  { device }: Pick<RunningDevice, 'device'>,
  deps: LinkStateDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  let lost: string | undefined;
  const wake = new AbortController();
  void device.lost.then((reason) => {
    lost = reason;
    wake.abort();
  });
  const until = AbortSignal.any([signal, wake.signal]);
  while (!until.aborted) {
    await reportLinkStates(deps);
    await deps.clock.sleep(LOOK_EVERY_MS, until);
  }
  return signal.aborted ? undefined : lost;
}
