import { createHash, timingSafeEqual } from 'node:crypto';
import { isJsonObject, type Json } from '@bloomery/model';
import type { RandomBytes } from '@bloomery/ports';
import { isSignedToken } from './signed-token.ts';

/** A token that lets machines join the link, as it is kept. */
export interface JoinToken {
  readonly name: string;
  /** The secret text. */
  readonly token: string;
  /** RFC 3339 */
  readonly created: string;
  /** RFC 3339; absent: never. */
  readonly expires?: string;
  /** How many machines may join with it, 1 to 1000; absent: any number, and they are not counted. */
  readonly uses?: number;
  /** UUIDs of the machines that joined with it; only kept where `uses` is. */
  readonly usedBy?: readonly string[];
  /** The only machine that may use it. */
  readonly pin?: string;
  /** RFC 3339; present: refused. */
  readonly revoked?: string;
}

/** What a token that a machine presented means. */
export type JoinVerdict =
  | { readonly ok: true; readonly token: JoinToken }
  | { readonly ok: false; readonly reason: 'missing' | 'unknown' | 'revoked' | 'expired' | 'used-up' | 'pinned' };

/** Most machines that a token with a use limit may let in. */
export const USES_MAX = 1_000;
/** Most join tokens at the same time. */
export const TOKENS_MAX = 200;
/** Longest token text that is looked at; the signed ones of Omni are longer than plain ones. */
const TEXT_MAX = 4_096;
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN_BYTES = 32;

/** Whether a text can name a token. */
export function isTokenName(text: string): boolean {
  return NAME.test(text);
}

/** A new secret text: 32 random bytes in base62. */
export function newTokenText(random: RandomBytes): string {
  let value = BigInt(`0x${Buffer.from(random(TOKEN_BYTES)).toString('hex')}`);
  let text = '';
  for (; value > 0n; value /= 62n) text = ALPHABET.charAt(Number(value % 62n)) + text;
  return text.padStart(43, '0');
}

/** Whether two texts are equal, in a time that does not depend on where they differ. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

/**
 * What a presented token means for a machine. Every token is compared, whichever fits, so that the time says nothing about
 * them. Pure.
 *
 * @param text As presented: plain, or `v1:`/`v2:` signed by one of the tokens as Omni does.
 * @param uuid Lower case.
 */
export function judgeJoinToken(
  tokens: readonly JoinToken[],
  text: string | undefined,
  uuid: string,
  nowMs: number,
): JoinVerdict {
  if (text === undefined || text === '') return { ok: false, reason: 'missing' };
  if (text.length > TEXT_MAX) return { ok: false, reason: 'unknown' };
  const given = digest(text);
  let found: JoinToken | undefined;
  for (const one of tokens) if (timingSafeEqual(given, digest(one.token))) found = one;
  if (found === undefined && /^v[12]:/.test(text)) {
    for (const one of tokens) if (isSignedToken(text, one.token)) found = one;
  }
  return found === undefined ? { ok: false, reason: 'unknown' } : judgeState(found, uuid, nowMs);
}

/** Whether a known token lets this machine in now. Pure. */
export function judgeState(token: JoinToken, uuid: string, nowMs: number): JoinVerdict {
  if (token.revoked !== undefined) return { ok: false, reason: 'revoked' };
  if (token.expires !== undefined && !(Date.parse(token.expires) > nowMs)) return { ok: false, reason: 'expired' };
  if (token.pin !== undefined && token.pin !== uuid) return { ok: false, reason: 'pinned' };
  const { uses, usedBy = [] } = token;
  if (uses !== undefined && usedBy.length >= uses && !usedBy.includes(uuid)) return { ok: false, reason: 'used-up' };
  return { ok: true, token };
}

/** The kept form of a token: JSON in base64, as a Secret's `data` wants it. */
export function writeJoinToken({ name: _, ...kept }: JoinToken): string {
  return Buffer.from(JSON.stringify(kept)).toString('base64');
}

/** Read a kept token; undefined when it is damaged: then it lets nobody in. */
export function readJoinToken(name: string, data: string): JoinToken | undefined {
  let kept: Json;
  try {
    kept = JSON.parse(Buffer.from(data, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isJsonObject(kept) || !isTokenName(name)) return undefined;
  const { token, created = '', expires, uses, usedBy, pin, revoked } = kept;
  if (typeof token !== 'string' || token === '' || token.length > TEXT_MAX || typeof created !== 'string')
    return undefined;
  if (!isTextOrAbsent(expires) || !isTextOrAbsent(pin) || !isTextOrAbsent(revoked)) return undefined;
  if (uses !== undefined && !(typeof uses === 'number' && Number.isInteger(uses) && uses >= 0)) return undefined;
  if (usedBy !== undefined && !(Array.isArray(usedBy) && usedBy.every((one) => typeof one === 'string')))
    return undefined;
  return {
    name,
    token,
    created,
    ...(expires === undefined ? {} : { expires }),
    ...(uses === undefined ? {} : { uses }),
    ...(usedBy === undefined ? {} : { usedBy }),
    ...(pin === undefined ? {} : { pin: pin.toLowerCase() }),
    ...(revoked === undefined ? {} : { revoked }),
  };
}

function isTextOrAbsent(value: Json | undefined): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
