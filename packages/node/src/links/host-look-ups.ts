import type { WakeSource } from '@bloomery/cosi';
import { type Clock, errorText } from '@bloomery/ports';

/** All addresses of a host by its name, the preferred one first. @throws when it cannot be told now */
export type LookUpHost = (host: string) => Promise<readonly string[]>;

/** What is known of a host: its addresses, at least one, or why there are none; `waiting`: it is being looked up for the first time. */
export type HostAnswer =
  | { readonly addresses: readonly string[] }
  | { readonly problem: string }
  | { readonly waiting: string };

/** Looks hosts up beside the passes of a controller, one after the other: a name server that is silent holds nothing up. */
export interface HostLookUps extends WakeSource {
  /** What is known now, without waiting. A look-up begins unless what is known is fresh; what it finds wakes those who listen. */
  ask(host: string): HostAnswer;
}

/** Addresses are looked up again when they are asked for after this time; */
const FRESH_MS = 60_000;
/** what could not be told, after this: sooner than any attempt is repeated. */
const FAILED_MS = 400;
/** Hosts that nobody has asked for since are forgotten. */
const FORGET_MS = 3_600_000;

interface Known {
  readonly answer: HostAnswer;
  readonly atMs: number;
}

/** Nothing is known yet. */
export function createHostLookUps(lookUpHost: LookUpHost, clock: Pick<Clock, 'nowMs'>): HostLookUps {
  const known = new Map<string, Known>();
  const waiting = new Set<string>();
  const listeners = new Set<() => void>();
  let isBusy = false;

  const answerOf = (host: string): Promise<HostAnswer> =>
    lookUpHost(host).then(
      (addresses) => (addresses.length === 0 ? problem(host, 'it has no address') : { addresses }),
      (error: unknown) => problem(host, errorText(error)),
    );
  const work = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    for (const host of waiting) {
      const answer = await answerOf(host);
      waiting.delete(host);
      const isNews = JSON.stringify(answer) !== JSON.stringify(known.get(host)?.answer);
      known.set(host, { answer, atMs: clock.nowMs() });
      if (isNews) for (const wake of listeners) wake();
    }
    isBusy = false;
  };
  const forgetOld = (): void => {
    for (const [host, { atMs }] of known) if (atMs + FORGET_MS < clock.nowMs()) known.delete(host);
  };
  return {
    ask: (host) => {
      const last = known.get(host);
      if (last === undefined || isOld(last, clock.nowMs())) {
        forgetOld();
        waiting.add(host);
        void work();
      }
      return last?.answer ?? { waiting: `looking up endpoint ${host}` };
    },
    listen: (wake) => {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
  };
}

const isOld = ({ answer, atMs }: Known, nowMs: number): boolean =>
  nowMs - atMs >= ('problem' in answer ? FAILED_MS : FRESH_MS);

const problem = (host: string, why: string): HostAnswer => ({ problem: `looking up endpoint ${host}: ${why}` });
