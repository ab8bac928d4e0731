import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { authenticated, type User } from './user.ts';

/** A static bearer token, as in Kubernetes' token file: `token,user,uid,"group1,group2"`. */
export interface StaticToken {
  /** SHA-256 of the token: the token itself is not kept. */
  readonly digest: Uint8Array;
  readonly user: User;
}

/** Whose static token it is; undefined: nobody's. */
export type StaticTokens = (token: string) => User | undefined;

/** The file is looked at again after this, when a token comes. */
const LOOK_AGAIN_MS = 1000;
/** A larger file is not read. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** Read a static token file. Lines that are not of the form are passed over. */
export function parseTokenFile(text: string): readonly StaticToken[] {
  return text.split('\n').flatMap((line) => {
    const match = TOKEN_LINE.exec(line);
    if (match === null) return [];
    const [, token = '', name = '', uid = '', groups = ''] = match;
    return [{ digest: digestOf(token), user: authenticated(name, groups.split(',').filter(Boolean), uid) }];
  });
}

const TOKEN_LINE = /^([^,\s]{8,}),([^,"]+),([^,"]*)(?:,"?([^"]*)"?)?\s*$/;

/** Numbers of the lines, from 1, that are neither a token nor blank nor a comment. At most ten: a log takes them. */
function strangeLines(text: string): readonly number[] {
  const isStrange = (line: string): boolean => !/^\s*(#|$)/.test(line) && !TOKEN_LINE.test(line);
  return text
    .split('\n')
    .flatMap((line, i) => (isStrange(line) ? [i + 1] : []))
    .slice(0, 10);
}

/** Look tokens up in a fixed list. */
export function staticTokens(tokens: readonly StaticToken[]): StaticTokens {
  return (token) => {
    const digest = digestOf(token);
    return tokens.find((known) => timingSafeEqual(known.digest, digest))?.user;
  };
}

/**
 * Look tokens up in a file that may change: at most a second after it was written, new tokens are known and removed ones are
 * not. While the file is away or cannot be read, the tokens of its last state hold.
 */
export function tokensOfFile(file: string, clock: Clock, log: Logger): StaticTokens {
  let stamp = '';
  let lookAfterMs = Number.NEGATIVE_INFINITY;
  let find: StaticTokens = () => undefined;

  function look(): void {
    const { mtimeMs, size, ino } = statSync(file);
    const seen = `${mtimeMs} ${size} ${ino}`;
    if (seen === stamp) return;
    if (size > MAX_FILE_BYTES) throw new RangeError(`it has more than ${MAX_FILE_BYTES} bytes`);
    const text = readFileSync(file, 'utf8');
    const tokens = parseTokenFile(text);
    const lines = strangeLines(text);
    // Their text may be a secret that was written wrongly.
    if (lines.length > 0) log.warn('api.token-lines-skipped', { file, lines, want: 'TOKEN,NAME,UID,"GROUP1,GROUP2"' });
    if (stamp !== '') log.info('api.tokens-reloaded', { file, tokens: tokens.length });
    find = staticTokens(tokens);
    stamp = seen;
  }

  return (token) => {
    const now = clock.nowMs();
    // A clock that was set back must not keep a removed token alive.
    if (now >= lookAfterMs || now < lookAfterMs - LOOK_AGAIN_MS) {
      lookAfterMs = now + LOOK_AGAIN_MS;
      try {
        look();
      } catch (error) {
        log.warn('api.tokens-unreadable', { file, error: errorText(error) });
      }
    }
    return find(token);
  };
}

function digestOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
