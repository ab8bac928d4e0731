import { findObject, type ObjectClient, patchObject } from '@bloomery/kube';
import { ANNOTATIONS, type Secret, secret, serverBinding, timeText } from '@bloomery/model';
import { BloomeryError, type Clock, type RandomBytes } from '@bloomery/ports';
import { isTokenName, type JoinToken, newTokenText, TOKENS_MAX, USES_MAX } from './join-token.ts';
import {
  changeTokenSecret,
  readTokenSecret,
  TOKEN_SECRET,
  TOKEN_SECRET_ANNOTATIONS,
  type TokenSecret,
} from './token-secret.ts';

/** What a new token shall allow. */
export interface JoinTokenWish {
  readonly name: string;
  /** Absent: it never expires. */
  readonly expiresInMs?: number;
  /** Absent: any number of machines. */
  readonly uses?: number;
  readonly pin?: string;
}

/** What the manager says about tokens in general; fields are absent while no manager ran with these tokens. */
export interface JoinTokenSettings {
  /** Address of the API without a token: `grpc://10.0.0.1:8081`. */
  readonly api?: string;
  readonly required?: boolean;
}

/** The tokens and what the manager says about them. */
export interface JoinTokenList extends JoinTokenSettings {
  /** By name. */
  readonly tokens: readonly JoinToken[];
  readonly damaged: readonly string[];
}

/**
 * Make a token. Its text is in the answer.
 *
 * @throws BloomeryError BLM_CLI_USAGE for a wish that cannot be, BLM_API_ALREADY_EXISTS for a name that is taken,
 * BLM_CLI_REFUSED above 200 tokens.
 */
export async function createJoinToken(
  client: ObjectClient,
  wish: JoinTokenWish,
  { clock, random }: { readonly clock: Clock; readonly random: RandomBytes },
): Promise<JoinToken & JoinTokenSettings> {
  const problem = problemOf(wish);
  if (problem !== undefined) throw new BloomeryError('BLM_CLI_USAGE', `creating join token: ${problem}`);
  const { name, expiresInMs, uses, pin } = wish;
  const nowMs = clock.nowMs();
  const made: JoinToken = {
    name,
    token: newTokenText(random),
    created: timeText(nowMs),
    ...(expiresInMs === undefined ? {} : { expires: timeText(nowMs + expiresInMs) }),
    ...(uses === undefined ? {} : { uses, usedBy: [] }),
    ...(pin === undefined ? {} : { pin: pin.toLowerCase() }),
  };
  const stored = await changeTokenSecret(client, ({ tokens }) => {
    if (tokens.some((token) => token.name === name)) {
      throw new BloomeryError('BLM_API_ALREADY_EXISTS', `creating join token ${name}: there is one of this name`, {
        facts: { try: `bloomery token revoke ${name} --delete` },
      });
    }
    if (tokens.length >= TOKENS_MAX) {
      throw new BloomeryError('BLM_CLI_REFUSED', `creating join token ${name}: there are ${TOKENS_MAX} already`, {
        facts: { try: 'bloomery token revoke NAME --delete' },
      });
    }
    return { tokens: { [name]: made } };
  });
  return { ...made, ...settingsOf(stored) };
}

/** All tokens. They hold their secret texts. */
export async function listJoinTokens(client: ObjectClient): Promise<JoinTokenList> {
  const found = await findObject(client, secret, TOKEN_SECRET);
  const { tokens, damaged }: TokenSecret = readTokenSecret(found);
  return { ...settingsOf(found), damaged, tokens: tokens.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/**
 * From now on the token lets no machine in; machines with a unique token stay. `forget` takes it out of the list as well.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN
 */
export async function revokeJoinToken(
  client: ObjectClient,
  name: string,
  { clock, forget }: { readonly clock: Clock; readonly forget: boolean },
): Promise<void> {
  await changeTokenSecret(client, ({ tokens, damaged }) => {
    if (forget && damaged.includes(name)) return { tokens: { [name]: null } };
    const token = tokenNamed(tokens, name);
    if (forget) return { tokens: { [name]: null } };
    return token.revoked === undefined
      ? { tokens: { [name]: { ...token, revoked: timeText(clock.nowMs()) } } }
      : undefined;
  });
}

/**
 * From now on only this machine may use the token.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN, BLM_CLI_USAGE
 */
export async function pinJoinToken(client: ObjectClient, name: string, uuid: string): Promise<void> {
  const pin = uuid.toLowerCase();
  if (!UUID.test(pin)) throw new BloomeryError('BLM_CLI_USAGE', `pinning join token ${name}: ${uuid} is not a UUID`);
  await changeTokenSecret(client, ({ tokens }) => {
    const token = tokenNamed(tokens, name);
    return token.pin === pin ? undefined : { tokens: { [name]: { ...token, pin } } };
  });
}

/**
 * Forget which machine owns this Server's UUID: the next one that comes with a unique token does.
 *
 * @returns whether there was one.
 * @throws BloomeryError BLM_API_NOT_FOUND when the Server has no ServerBinding.
 */
export async function resetUniqueToken(client: ObjectClient, server: string): Promise<boolean> {
  let had = false;
  await patchObject(client, serverBinding, { name: server }, ({ metadata }) => {
    had = metadata.annotations?.[ANNOTATIONS.siderolinkUniqueToken] !== undefined;
    return had ? { metadata: { annotations: { [ANNOTATIONS.siderolinkUniqueToken]: null } } } : undefined;
  });
  return had;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function problemOf({ name, expiresInMs, uses, pin }: JoinTokenWish): string | undefined {
  if (!isTokenName(name)) return `${JSON.stringify(name.slice(0, 80))} is no name: a-z, 0-9 and -, at most 63`;
  if (expiresInMs !== undefined && !(expiresInMs > 0)) return 'it would be expired at once';
  if (uses !== undefined && !(Number.isInteger(uses) && uses >= 1 && uses <= USES_MAX)) {
    return `the number of uses is from 1 to ${USES_MAX}`;
  }
  if (pin !== undefined && !UUID.test(pin.toLowerCase())) return `${pin} is not a UUID`;
  return undefined;
}

function tokenNamed(tokens: readonly JoinToken[], name: string): JoinToken {
  const found = tokens.find((token) => token.name === name);
  if (found !== undefined) return found;
  throw new BloomeryError('BLM_CLI_NAME_UNKNOWN', `no join token is named ${JSON.stringify(name)}`, {
    facts: { try: 'bloomery token list' },
  });
}

function settingsOf(found: Secret | undefined): JoinTokenSettings {
  const annotations = found?.metadata.annotations ?? {};
  const api = annotations[TOKEN_SECRET_ANNOTATIONS.api];
  const required = annotations[TOKEN_SECRET_ANNOTATIONS.required];
  return {
    ...(api === undefined ? {} : { api }),
    ...(required === undefined ? {} : { required: required === 'true' }),
  };
}
