import { grpcError } from '@bloomery/grpc';
import type { ObjectCache } from '@bloomery/kube';
import { ANNOTATIONS, server, serverBinding } from '@bloomery/model';
import { type Clock, createSeldom, type Logger } from '@bloomery/ports';
import type { JoinToken, JoinVerdict } from '../tokens/join-token.ts';
import type { JoinTokens } from '../tokens/join-tokens.ts';
import { isMachineToken } from '../tokens/token-secret.ts';
import type { ProvisionMarks } from './provision-marks.ts';
import { judgeUniqueToken, uniqueTokenHash } from './unique-token.ts';

/** What a machine says to be let in. */
export interface Introduction {
  /** Lower case. */
  readonly uuid: string;
  readonly joinToken: string | undefined;
  readonly uniqueToken: string | undefined;
  /** Address that it calls from. */
  readonly caller: string;
}

/** A machine that may ask for its address. */
export interface Admitted {
  /** Name of its Server and ServerBinding. */
  readonly server: string;
  /** The join token it came with, where tokens are required and it is not the machine's own. */
  readonly token?: JoinToken;
}

/** What letting machines in needs. */
export interface AdmitDeps {
  readonly cache: ObjectCache;
  /** Absent: no tokens at all. */
  readonly tokens?: JoinTokens;
  readonly marks: ProvisionMarks;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Decides who a machine is and whether it may ask; throws PERMISSION_DENIED, the same for every reason. */
export type AdmitMachine = (introduction: Introduction) => Promise<Admitted>;

type Reason = Extract<JoinVerdict, { readonly ok: false }>['reason'];

const WHY: Readonly<Record<Reason, string>> = {
  missing: 'it has no join token',
  unknown: 'its join token is not known',
  revoked: 'its join token is revoked',
  expired: 'its join token is expired',
  'used-up': 'its join token is used up',
  pinned: 'its join token is for another machine',
};
const LOG_EVERY_MS = 60_000;
/** Compared with where there is no owner, so that every refusal takes the same way. */
const NOBODY = `sha256:${'0'.repeat(64)}`;

/**
 * Make the door. Where tokens are required a machine comes in with the token that the plane gave to it, with a join token, or
 * with the unique token that its ServerBinding knows, whatever became of its join token.
 */
export function createAdmission({ cache, tokens, marks, clock, log }: AdmitDeps): AdmitMachine {
  const mayLog = createSeldom(clock, LOG_EVERY_MS, 1_000);
  const refuse = (name: string, caller: string, reason: Reason): never => {
    if (mayLog(caller)) log.warn('link.join_refused', { address: caller, reason });
    if (cache.get(serverBinding, { name }) !== undefined) marks.refused(name, caller, WHY[reason]);
    throw grpcError('PERMISSION_DENIED', 'invalid join token');
  };
  return async ({ uuid, joinToken, uniqueToken, caller }) => {
    if (tokens === undefined) return { server: uuid };
    const owner = ownerOf(joinToken, uuid, tokens, cache);
    if (owner !== undefined || !tokens.required) return { server: owner ?? uuid };
    const verdict = await tokens.judge(joinToken, uuid);
    if (verdict.ok) return { server: uuid, token: verdict.token };
    const binding = cache.get(serverBinding, { name: uuid });
    const stored = binding?.metadata.annotations?.[ANNOTATIONS.siderolinkUniqueToken] ?? NOBODY;
    if (judgeUniqueToken(stored, uniqueTokenHash(uniqueToken)) === 'owner') return { server: uuid };
    return refuse(uuid, caller, verdict.reason);
  };
}

/** The Server of this name, or one that is named otherwise because its machine reports this UUID too. */
function ownerOf(
  joinToken: string | undefined,
  uuid: string,
  tokens: JoinTokens,
  cache: ObjectCache,
): string | undefined {
  if (joinToken === undefined || !isMachineToken(joinToken)) return undefined;
  const own = tokens.ownerOf(joinToken, [uuid]);
  if (own !== undefined) return own;
  const sharing = cache
    .list(server)
    .filter(({ metadata }) => metadata.annotations?.[ANNOTATIONS.reportedUuid]?.toLowerCase() === uuid);
  return tokens.ownerOf(
    joinToken,
    sharing.map(({ metadata }) => metadata.name),
  );
}
