import type { ObjectClient } from '@bloomery/kube';
import { backOffMs } from '@bloomery/kube';
import { type Secret, secret } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type Logger, type RandomBytes } from '@bloomery/ports';
import { createUseCounter } from './count-uses.ts';
import { isSameSecret, type JoinToken, type JoinVerdict, judgeJoinToken } from './join-token.ts';
import {
  changeTokenSecret,
  machineTokenOf,
  newMachineKey,
  readTokenSecret,
  TOKEN_SECRET,
  TOKEN_SECRET_ANNOTATIONS,
  type TokenSecret,
} from './token-secret.ts';

/** The join tokens of an installation, followed as they change. */
export interface JoinTokens extends AsyncDisposable {
  /** Machines need one; false: whatever they present is ignored, as Sidero does. */
  readonly required: boolean;
  /** Which of these Servers the plane gave this token to; undefined when none. */
  ownerOf(text: string | undefined, servers: readonly string[]): string | undefined;
  /**
   * What a presented token means for the machine of this name. A token that is not known in memory is looked for in the API
   * before it is refused, so a new one works at once.
   */
  judge(text: string | undefined, server: string): Promise<JoinVerdict>;
  /** Count a machine for a token with a use limit, durably; false when the token lets it in no more. */
  use(token: JoinToken, server: string): Promise<boolean>;
  /** The token that the plane gives to this machine, good for no other. A secret. */
  machineToken(server: string): string | undefined;
  /** Tell the command line, through the Secret, the address of the API (without a token) that machines use. */
  announce(api: string): void;
}

/** What following the join tokens needs. */
export interface JoinTokensDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

const RETRY = { firstMs: 250, maxMs: 30_000 };
/** A token that nobody knows makes us ask the API at most this often. */
const REFRESH_EVERY_MS = 250;

/**
 * Load the join tokens and follow their Secret, which is made when it is not there.
 *
 * @throws BloomeryError when the API cannot be asked: nothing may be served then.
 */
export async function followJoinTokens(
  options: { readonly required: boolean },
  deps: JoinTokensDeps,
): Promise<JoinTokens> {
  const { required } = options;
  const { client, clock, log, random } = deps;
  const stop = new AbortController();
  let present: TokenSecret = readTokenSecret(undefined);
  let api: string | undefined;
  let warned = '';
  const take = (found: Secret | undefined): void => {
    present = readTokenSecret(found);
    const damaged = present.damaged.join();
    if (damaged !== warned && damaged !== '') log.warn('join_tokens.damaged', { tokens: present.damaged });
    warned = damaged;
  };
  const read = async (): Promise<Secret | undefined> => {
    const found = await readOrAbsent(client);
    take(found);
    return found;
  };
  /** Our own entries: the machines' key, and what the command line wants to know. */
  const complete = async (): Promise<void> => {
    const mine = {
      [TOKEN_SECRET_ANNOTATIONS.required]: String(required),
      ...(api === undefined ? {} : { [TOKEN_SECRET_ANNOTATIONS.api]: api }),
    };
    const found = await changeTokenSecret(client, ({ machineKey }, secretNow) => {
      const have = secretNow?.metadata.annotations ?? {};
      const told = Object.entries(mine).every(([key, value]) => have[key] === value);
      const needsKey = machineKey === undefined;
      if (told && !needsKey) return undefined;
      return { annotations: mine, ...(needsKey ? { machineKey: newMachineKey(random) } : {}) };
    });
    take(found);
  };
  await complete();
  const followed = follow({ ...deps, onChange: complete }, stop.signal);
  const refresh = throttled(clock, REFRESH_EVERY_MS, read);
  const uses = createUseCounter({ client, clock, onWritten: take });

  const judgeNow = (text: string | undefined, server: string): JoinVerdict =>
    judgeJoinToken(present.tokens, text, server, clock.nowMs());
  return {
    required,
    ownerOf: (text, servers) => {
      const { machineKey } = present;
      if (machineKey === undefined || text === undefined || text === '') return undefined;
      return servers.find((server) => isSameSecret(text, machineTokenOf(machineKey, server)));
    },
    judge: async (text, server) => {
      const verdict = judgeNow(text, server);
      if (verdict.ok || verdict.reason === 'missing') return verdict;
      await refresh();
      return judgeNow(text, server);
    },
    use: (token, server) => (token.uses === undefined ? Promise.resolve(true) : uses.count(token.name, server)),
    machineToken: (server) =>
      present.machineKey === undefined ? undefined : machineTokenOf(present.machineKey, server),
    announce: (text) => {
      api = text;
      complete().catch((error) => log.warn('join_tokens.not_announced', { error: errorText(error) }));
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await followed;
    },
  };
}

async function readOrAbsent(client: ObjectClient): Promise<Secret | undefined> {
  try {
    return await client.get(secret, TOKEN_SECRET);
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Calls `onChange` after every change of the Secret until the signal aborts. Failures are retried with back-off. */
async function follow(
  deps: JoinTokensDeps & { readonly onChange: () => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, log, onChange } = deps;
  const fields = `metadata.name=${TOKEN_SECRET.name}`;
  const jitter = (): number => (deps.random(1)[0] ?? 0) / 256;
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
