import { findObject, type ObjectClient } from '@bloomery/kube';
import { type Secret, secret } from '@bloomery/model';
import { backOffMs, type Clock, errorText, fraction, type Logger, type RandomBytes } from '@bloomery/ports';
import {
  changeTokenSecret,
  newMachineKey,
  readTokenSecret,
  TOKEN_SECRET,
  TOKEN_SECRET_ANNOTATIONS,
  type TokenSecret,
} from './token-secret.ts';

/** What following the Secret needs. */
export interface TokenSecretDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** The Secret of the join tokens, as it is now. */
export interface FollowedTokenSecret extends AsyncDisposable {
  present(): TokenSecret;
  /** The Secret was read or written elsewhere. */
  take(found: Secret | undefined): void;
  /** Ask the API, at most every 250 ms. Never throws. */
  refresh(): Promise<void>;
  /** Tell the command line the address of the API that machines use, without a token. */
  announce(api: string): void;
}

const RETRY = { firstMs: 250, maxMs: 30_000 };
const REFRESH_EVERY_MS = 250;

/**
 * Read the Secret and follow it; it is made, with a key for machines, when it is not there.
 *
 * @throws BloomeryError when the API cannot be asked, BLM_LINK_SECRET_INVALID.
 */
export async function followTokenSecret(
  { required }: { readonly required: boolean },
  deps: TokenSecretDeps,
): Promise<FollowedTokenSecret> {
  const { client, clock, log, random } = deps;
  const stop = new AbortController();
  let present: TokenSecret = readTokenSecret(undefined);
  let warned = '';
  const take = (found: Secret | undefined): void => {
    present = readTokenSecret(found);
    const damaged = present.damaged.join();
    if (damaged !== warned && damaged !== '') log.warn('join_tokens.damaged', { tokens: present.damaged });
    warned = damaged;
  };
  const mine: Record<string, string> = { [TOKEN_SECRET_ANNOTATIONS.required]: String(required) };
  /** Put in what is ours. What another manager says in its place is left, unless we have something new to say. */
  const complete = async (hasNews: boolean): Promise<void> => {
    const found = await changeTokenSecret(client, ({ machineKey }, now) => {
      const have = now?.metadata.annotations ?? {};
      const isTold = Object.entries(mine).every(([key, value]) => have[key] === value || (!hasNews && have[key]));
      if (isTold && machineKey !== undefined) return undefined;
      return { annotations: mine, ...(machineKey === undefined ? { machineKey: newMachineKey(random) } : {}) };
    });
    take(found);
  };
  await complete(true);
  const followed = follow({ ...deps, onChange: () => complete(false) }, stop.signal);
  return {
    present: () => present,
    take,
    refresh: throttled(clock, REFRESH_EVERY_MS, async () => take(await findObject(client, secret, TOKEN_SECRET))),
    announce: (api) => {
      mine[TOKEN_SECRET_ANNOTATIONS.api] = api;
      complete(true).catch((error) => log.warn('join_tokens.not_announced', { error: errorText(error) }));
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await followed;
    },
  };
}

/** Calls `onChange` after every change of the Secret until the signal aborts. Failures are retried with back-off. */
async function follow(
  deps: TokenSecretDeps & { readonly onChange: () => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, log, onChange } = deps;
  const fields = `metadata.name=${TOKEN_SECRET.name}`;
  const jitter = (): number => fraction(deps.random);
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = clock.nowMs();
    try {
      for await (const event of client.watch(secret, { namespace: TOKEN_SECRET.namespace, fields, signal })) {
        if (event.type === 'BOOKMARK') continue;
        await onChange();
        failures = 0;
      }
      if (clock.nowMs() - startedMs < 1_000) failures++;
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      (failures === 4 ? log.warn : log.debug).call(log, 'join_tokens.retry', { failures, error: errorText(error) });
    }
    if (failures > 0) await clock.sleep(backOffMs(failures, RETRY, jitter), signal);
  }
}

/** Runs the work at most once per interval; calls in between share the run that is under way, or do nothing. */
function throttled(clock: Clock, everyMs: number, work: () => Promise<unknown>): () => Promise<void> {
  let lastMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  return () => {
    if (running !== undefined) return running;
    if (clock.nowMs() - lastMs < everyMs) return Promise.resolve();
    lastMs = clock.nowMs();
    running = work().then(
      () => {
        running = undefined;
      },
      () => {
        running = undefined;
      },
    );
    return running;
  };
}
