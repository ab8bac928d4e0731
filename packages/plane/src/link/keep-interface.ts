import { type Clock, errorText, type Logger } from '@bloomery/ports';

/** The interface of the link, as far as others on the host may change it. */
export interface KeptInterfaceDeps {
  readonly interfaceName: string;
  /** Whether it is up and has its address. */
  readonly isConfigured: () => boolean;
  readonly configure: () => Promise<void>;
  readonly isIsolated: () => Promise<boolean>;
  readonly isolate: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An interface that is looked at every 10 s and set right. Disposing it ends that. */
export interface KeptInterface extends AsyncDisposable {
  /** Why machines are not kept from each other and from the host's other services; undefined: they are. */
  notIsolated(): string | undefined;
  /** Resolves with the reason when it cannot be set right. */
  readonly lost: Promise<string>;
}

const LOOK_EVERY_MS = 10_000;

/**
 * Isolate an interface, then keep it as it is: a network manager may take it down or its address away, and whoever loads
 * firewall rules may flush ours. Each repair is logged. Resolves when the first isolation was tried.
 */
export async function keepInterface(deps: KeptInterfaceDeps): Promise<KeptInterface> {
  const { interfaceName, clock, log } = deps;
  const stop = new AbortController();
  const lost = Promise.withResolvers<string>();
  let notIsolated: string | undefined;
  const isolate = async (): Promise<void> => {
    const before = notIsolated;
    try {
      await deps.isolate();
      notIsolated = undefined;
    } catch (error) {
      notIsolated = errorText(error);
      if (notIsolated !== before) log.warn('link.not_isolated', { interfaceName, error: notIsolated });
    }
  };
  const keepIsolated = async (): Promise<void> => {
    if (await deps.isIsolated()) return;
    const wasIsolated = notIsolated === undefined;
    await isolate();
    if (wasIsolated && notIsolated === undefined) log.warn('link.isolation_restored', { interfaceName });
  };
  const keepConfigured = async (): Promise<void> => {
    if (deps.isConfigured()) return;
    await deps.configure();
    log.warn('link.interface_restored', { interfaceName });
  };
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, stop.signal);
      if (stop.signal.aborted) return;
      await keepIsolated();
      await keepConfigured();
    }
  };
  await isolate();
  const kept = keep().catch((error: unknown) => lost.resolve(errorText(error)));
  return {
    notIsolated: () => notIsolated,
    lost: lost.promise,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await kept;
    },
  };
}
