import { createHmac } from 'node:crypto';
import { type ObjectClient, patchObject } from '@bloomery/kube';
import { LABELS, type Secret, secret } from '@bloomery/model';
import { BloomeryError, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { type JoinToken, readJoinToken, writeJoinToken } from './join-token.ts';

/** Where the join tokens are kept. */
export const TOKEN_SECRET = { name: 'siderolink-join-tokens', namespace: 'default' } as const;

/** Annotations of the Secret by which the manager tells the command line what it needs to know. */
export const TOKEN_SECRET_ANNOTATIONS = {
  /** Address of the link's API as machines use it, without a token. */
  api: 'bloomery.dev/siderolink-api',
  /** `true` when machines need a token. */
  required: 'bloomery.dev/join-token-required',
} as const;

const TOKEN_PREFIX = 'token.';
const MACHINE_KEY = 'machine-key';
const MACHINE_KEY_BYTES = 32;

/** The Secret, read. */
export interface TokenSecret {
  readonly tokens: readonly JoinToken[];
  /** Names of entries that cannot be read: they let nobody in. */
  readonly damaged: readonly string[];
  /** The key that the tokens of single machines follow from; undefined until the manager made one. */
  readonly machineKey: Uint8Array | undefined;
}

/**
 * Read what a Secret holds; absent: nothing.
 *
 * @throws BloomeryError BLM_LINK_SECRET_INVALID when the machines' key is damaged: a new one would lock machines out.
 */
export function readTokenSecret(found: Secret | undefined): TokenSecret {
  const tokens: JoinToken[] = [];
  const damaged: string[] = [];
  for (const [key, value] of Object.entries(found?.data ?? {})) {
    if (!key.startsWith(TOKEN_PREFIX)) continue;
    const name = key.slice(TOKEN_PREFIX.length);
    const token = readJoinToken(name, value);
    if (token === undefined) damaged.push(name);
    else tokens.push(token);
  }
  return { tokens, damaged, machineKey: readMachineKey(found?.data?.[MACHINE_KEY]) };
}

function readMachineKey(data: string | undefined): Uint8Array | undefined {
  if (data === undefined) return undefined;
  const key = Buffer.from(data, 'base64');
  if (key.byteLength >= MACHINE_KEY_BYTES) return key;
  const what = `reading the Secret ${TOKEN_SECRET.name}: its data "${MACHINE_KEY}" is not a key`;
  throw new BloomeryError('BLM_LINK_SECRET_INVALID', what);
}

const MACHINE_TOKEN_START = 'm.';

/** The join token of one machine: it follows from the key and the name of its Server, and is good for no other. */
export function machineTokenOf(machineKey: Uint8Array, server: string): string {
  const mac = createHmac('sha256', machineKey).update(`siderolink join token of machine ${server}`);
  return MACHINE_TOKEN_START + mac.digest('base64url');
}

/** Whether a text has the form of the token of one machine; those that people make have not. */
export function isMachineToken(text: string): boolean {
  return text.startsWith(MACHINE_TOKEN_START);
}

/** What to change in the Secret: `null` takes a token away. */
export interface TokenSecretChange {
  readonly tokens?: Readonly<Record<string, JoinToken | null>>;
  readonly machineKey?: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A new key for the tokens of single machines. */
export function newMachineKey(random: RandomBytes): Uint8Array {
  return random(MACHINE_KEY_BYTES);
}

/**
 * Read the Secret, decide, write, again when somebody else was faster; it is made when it is not there. `change` returns
 * undefined for nothing to do, may be called several times and may throw to refuse. Returns the Secret as it is then.
 */
export async function changeTokenSecret(
  client: ObjectClient,
  change: (present: TokenSecret, found: Secret | undefined) => TokenSecretChange | undefined,
): Promise<Secret | undefined> {
  try {
    return await patchObject(client, secret, TOKEN_SECRET, (found) => {
      const wanted = change(readTokenSecret(found), found);
      return wanted === undefined ? undefined : patchOf(wanted);
    });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
  const wanted = change(readTokenSecret(undefined), undefined);
  if (wanted === undefined) return undefined;
  const { data, metadata } = patchOf(wanted);
  const metadataOfNew = { ...TOKEN_SECRET, labels: { [LABELS.move]: '' }, ...metadata };
  const made = Object.entries(data).flatMap(([key, value]) => (value === null ? [] : [[key, value]]));
  try {
    return await client.create(secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadataOfNew,
      type: 'Opaque',
      data: Object.fromEntries(made),
    });
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) return changeTokenSecret(client, change);
    throw error;
  }
}

function patchOf({ tokens = {}, machineKey, annotations }: TokenSecretChange): {
  data: Record<string, string | null>;
  metadata: { annotations?: Record<string, string> };
} {
  const entries = Object.entries(tokens).map(
    ([name, token]) => [TOKEN_PREFIX + name, token === null ? null : writeJoinToken(token)] as const,
  );
  const key = machineKey === undefined ? {} : { [MACHINE_KEY]: Buffer.from(machineKey).toString('base64') };
  return {
    data: { ...Object.fromEntries(entries), ...key },
    metadata: annotations === undefined ? {} : { annotations: { ...annotations } },
  };
}
