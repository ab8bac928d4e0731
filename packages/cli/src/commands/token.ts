import { randomBytes } from 'node:crypto';
import { ANNOTATIONS, serverBinding } from '@bloomery/model';
import type { JoinToken, JoinTokenList, JoinTokenSettings } from '@bloomery/plane';
import { BloomeryError } from '@bloomery/ports';
import { usageError } from '../exit-code.ts';
import { ageText, durationText, parseDuration } from '../output/age.ts';
import { dataText, type FormatOptions, formatOf } from '../output/format.ts';
import { tableText } from '../output/table.ts';
import { resolveServer } from '../resolve-server.ts';
import type { Session } from '../session.ts';

/** Options of `bloomery token create`. */
export interface CreateTokenOptions extends FormatOptions {
  readonly name?: string;
  readonly expires?: string;
  readonly uses?: string;
  readonly pin?: string;
}

const API_VERSION = 'cli.bloomery.dev/v1';
const NAME_BYTES = 4;
/** So long a manager that runs needs at most to say where machines call, after the first token was made. */
const ANNOUNCE_TRIES = 5;
const ANNOUNCE_MS = 200;

/** `bloomery token create`: prints the secret text, once, and the kernel argument that holds it. */
export async function createToken(session: Session, options: CreateTokenOptions): Promise<void> {
  const { client, deps } = session;
  const format = dataFormat(options);
  const { createJoinToken } = await import('@bloomery/plane');
  const wish = {
    name: options.name ?? `token-${randomBytes(NAME_BYTES).toString('hex')}`,
    ...(options.expires === undefined ? {} : { expiresInMs: lifetimeMs(options.expires) }),
    ...(options.uses === undefined ? {} : { uses: usesOf(options.uses) }),
    ...(options.pin === undefined ? {} : { pin: await uuidOf(session, options.pin) }),
  };
  const { api, required, ...made } = await createJoinToken(client, wish, {
    clock: deps.clock,
    random: (length) => randomBytes(length),
  });
  const settings = await announced(session, {
    ...(api === undefined ? {} : { api }),
    ...(required === undefined ? {} : { required }),
  });
  const argument = await argumentOf(made, settings);
  if (format !== 'table') {
    const rest = described(made, 0, deps.clock.nowMs());
    deps.stdout.write(
      await dataText({ apiVersion: API_VERSION, kind: 'JoinToken', ...rest, token: made.token, argument }, format),
    );
  } else {
    const lines = [
      ['name', made.name],
      ['token', made.token],
      [
        'expires',
        made.expires === undefined
          ? 'never'
          : `${made.expires} (in ${durationText(Date.parse(made.expires) - deps.clock.nowMs())})`,
      ],
      ['uses', made.uses === undefined ? 'any number of machines' : `${made.uses}`],
      ['pin', made.pin ?? '-'],
      ['argument', argument],
    ];
    deps.stdout.write(lines.map(([what = '', value]) => `${what.padEnd(9)} ${value}\n`).join(''));
    deps.stderr.write('The token is not shown again. Treat the argument as a secret.\n');
  }
  if (settings.api === undefined) {
    deps.stderr.write('No manager has said yet where machines call: put its address in place of HOST.\n');
  }
  if (settings.required === false) {
    deps.stderr.write('The manager runs without --require-join-token: it lets machines in without a token, too.\n');
  }
}

/** `bloomery token list`: never the secret texts. */
export async function listTokens(session: Session, options: FormatOptions): Promise<void> {
  const { client, deps } = session;
  const format = dataFormat(options);
  const { listJoinTokens } = await import('@bloomery/plane');
  const found = await listJoinTokens(client);
  const { items: bindings } = await client.list(serverBinding);
  const machines = Map.groupBy(bindings, ({ metadata }) => metadata.annotations?.[ANNOTATIONS.siderolinkJoinToken]);
  const nowMs = deps.clock.nowMs();
  const items = found.tokens.map((token) => described(token, machines.get(token.name)?.length ?? 0, nowMs));
  warnOfDamage(session, found);
  if (format !== 'table') {
    const { required, api } = found;
    const about = { ...(required === undefined ? {} : { required }), ...(api === undefined ? {} : { api }) };
    deps.stdout.write(await dataText({ apiVersion: API_VERSION, kind: 'JoinTokenList', ...about, items }, format));
    return;
  }
  if (items.length === 0) {
    deps.stderr.write('No join tokens found.\n');
    return;
  }
  const rows = items.map((item) => [
    item.name,
    item.state,
    item.uses === undefined ? '-' : `${item.used}/${item.uses}`,
    `${item.machines}`,
    item.pin ?? '-',
    item.expires === undefined ? 'never' : item.expires,
    ageText(item.created, nowMs),
  ]);
  deps.stdout.write(tableText(['NAME', 'STATE', 'USES', 'MACHINES', 'PIN', 'EXPIRES', 'AGE'], rows));
}

/** `bloomery token revoke NAME…`: at once; machines with a unique token stay. */
export async function revokeTokens(
  session: Session,
  names: readonly string[],
  options: { readonly delete?: boolean },
): Promise<void> {
  const { revokeJoinToken } = await import('@bloomery/plane');
  const forget = options.delete === true;
  let done = 0;
  for (const name of names) {
    try {
      await revokeJoinToken(session.client, name, { clock: session.deps.clock, forget });
      session.deps.stdout.write(`token/${name} ${forget ? 'revoked and deleted' : 'revoked'}\n`);
      done += 1;
    } catch (error) {
      if (done === 0) throw error;
      const message = `${names.length - done} of ${names.length} tokens were not revoked, from ${name} on`;
      throw new BloomeryError('BLM_CLI_PARTLY_DONE', message, { cause: error });
    }
  }
}

/** `bloomery token pin NAME UUID`. */
export async function pinToken(session: Session, name: string, machine: string): Promise<void> {
  const { pinJoinToken } = await import('@bloomery/plane');
  const uuid = await uuidOf(session, machine);
  await pinJoinToken(session.client, name, uuid);
  session.deps.stdout.write(`token/${name} pinned to ${uuid}\n`);
}

/** `bloomery token reset SERVER`: the next machine that comes with a unique token owns the UUID. */
export async function resetMachine(session: Session, machine: string): Promise<void> {
  const { resetUniqueToken } = await import('@bloomery/plane');
  const { name } = (await resolveServer(session.client, machine)).metadata;
  const had = await resetUniqueToken(session.client, name);
  session.deps.stdout.write(`server/${name} ${had ? 'unique token forgotten' : 'has no unique token'}\n`);
}

interface Described extends Omit<JoinToken, 'token' | 'usedBy'> {
  readonly state: 'valid' | 'revoked' | 'expired' | 'used up';
  /** Machines that were counted, where there is a limit. */
  readonly used?: number;
  readonly usedBy?: string[];
  /** ServerBindings whose machine came with it last. */
  readonly machines: number;
}

function described({ token: _, usedBy, ...rest }: JoinToken, machines: number, nowMs: number): Described {
  const isUsedUp = rest.uses !== undefined && (usedBy?.length ?? 0) >= rest.uses;
  const isExpired = rest.expires !== undefined && !(Date.parse(rest.expires) > nowMs);
  const state = rest.revoked !== undefined ? 'revoked' : isExpired ? 'expired' : isUsedUp ? 'used up' : 'valid';
  const counted = rest.uses === undefined ? {} : { used: usedBy?.length ?? 0, usedBy: [...(usedBy ?? [])] };
  return { ...rest, state, ...counted, machines };
}

function warnOfDamage({ deps }: Session, { damaged }: JoinTokenList): void {
  for (const name of damaged) {
    deps.stderr.write(`token ${name} is damaged and lets nobody in; try: bloomery token revoke ${name} --delete\n`);
  }
}

/** What the manager says, waited for a moment where this is the first token. */
async function announced(session: Session, made: JoinTokenSettings): Promise<JoinTokenSettings> {
  const { listJoinTokens } = await import('@bloomery/plane');
  let settings = made;
  for (let i = 0; i < ANNOUNCE_TRIES && settings.api === undefined; i++) {
    await session.deps.clock.sleep(ANNOUNCE_MS, session.deps.signal);
    settings = await listJoinTokens(session.client);
  }
  return settings;
}

/** The kernel argument with the token, as the manager writes them. */
async function argumentOf(
  { token: joinToken }: JoinToken,
  { api = 'grpc://HOST:8081' }: JoinTokenSettings,
): Promise<string> {
  const { linkApiText, parseApiEndpoint, splitHostPort } = await import('@bloomery/siderolink');
  const { host, insecure } = parseApiEndpoint(api);
  return `siderolink.api=${linkApiText({ endpoint: splitHostPort(host), tls: !insecure, joinToken, tunnel: false }, 'argument')}`;
}

function dataFormat(options: FormatOptions): 'table' | 'json' | 'yaml' {
  const format = formatOf(options);
  if (format === 'json' || format === 'yaml') return format;
  if (format === 'name') throw usageError('-o name is not for tokens', 'bloomery token list -o json');
  return 'table';
}

function lifetimeMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw usageError(`--expires ${text} is not a duration such as 24h`);
  return ms;
}

function usesOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--uses ${text} is not a number`);
  return Number(text);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A UUID as it is, also of a machine that nobody has seen yet; else the Server that a person means. */
async function uuidOf(session: Session, text: string): Promise<string> {
  return UUID.test(text) ? text.toLowerCase() : (await resolveServer(session.client, text)).metadata.name;
}
