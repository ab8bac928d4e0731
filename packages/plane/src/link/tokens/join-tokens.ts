import type { ObjectClient } from '@bloomery/kube';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { createUseCounter } from './count-uses.ts';
import { followTokenSecret } from './follow-token-secret.ts';
import { isSameSecret, type JoinToken, type JoinVerdict, judgeJoinToken } from './join-token.ts';
import { machineTokenOf } from './token-secret.ts';

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

/**
 * Load the join tokens and follow their Secret, which is made when it is not there.
 *
 * @throws BloomeryError when the API cannot be asked, or the Secret is damaged: nothing may be served then.
 */
export async function followJoinTokens(
  options: { readonly required: boolean },
  deps: JoinTokensDeps,
): Promise<JoinTokens> {
  const { client, clock } = deps;
  const kept = await followTokenSecret(options, deps);
  const uses = createUseCounter({ client, clock, onWritten: kept.take });
  const judge = (text: string | undefined, server: string): JoinVerdict =>
    judgeJoinToken(kept.present().tokens, text, server, clock.nowMs());
  return {
    required: options.required,
    ownerOf: (text, servers) => {
      const { machineKey } = kept.present();
      if (machineKey === undefined || text === undefined || text === '') return undefined;
      return servers.find((server) => isSameSecret(text, machineTokenOf(machineKey, server)));
    },
    judge: async (text, server) => {
      const verdict = judge(text, server);
      if (verdict.ok || verdict.reason === 'missing') return verdict;
      await kept.refresh();
      return judge(text, server);
    },
    use: (token, server) => (token.uses === undefined ? Promise.resolve(true) : uses.count(token.name, server)),
    machineToken: (server) => {
      const { machineKey } = kept.present();
      return machineKey === undefined ? undefined : machineTokenOf(machineKey, server);
    },
    announce: kept.announce,
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}
