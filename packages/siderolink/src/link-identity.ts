import { BloomeryError } from '@bloomery/ports';
import { parseWireguardKey } from '@bloomery/wire';
import { type LinkPrefix, networkPrefix, serverAddressOf } from './network-prefix.ts';
import { generateWireguardKey, wireguardPublicKey } from './wireguard-keys.ts';

/** Everything that follows from the Secret `siderolink` of an installation. */
export interface LinkIdentity {
  readonly installationId: string;
  /** base64. Never logged. */
  readonly privateKey: string;
  /** base64 */
  readonly publicKey: string;
  readonly prefix: LinkPrefix;
  /** Without prefix length. */
  readonly serverAddress: string;
}

/** `data` of the Secret: base64 of base64 text. */
export type LinkSecretData = Readonly<Record<string, string>>;

const ID_KEY = 'installation-id';
const PRIVATE_KEY = 'private-key';

/** Data for a Secret of a new installation. */
export function newLinkSecretData(): LinkSecretData {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return { [ID_KEY]: encode(generateWireguardKey()), [PRIVATE_KEY]: encode(generateWireguardKey()) };
}

/**
 * Derive the identity of an installation from its Secret.
 *
 * @throws BloomeryError BLM_LINK_SECRET_INVALID when a key is missing or malformed: never make a new one silently,
 * that would orphan every machine.
 */
export function linkIdentity(data: LinkSecretData): LinkIdentity {
  const installationId = textOf(data, ID_KEY);
  const privateKey = textOf(data, PRIVATE_KEY).trim();
  if (parseWireguardKey(privateKey) === undefined) {
    throw invalid(`its data "${PRIVATE_KEY}" is not a WireGuard key`);
  }
  const prefix = networkPrefix(installationId, 'siderolink');
  return {
    installationId,
    privateKey,
    publicKey: wireguardPublicKey(privateKey),
    prefix,
    serverAddress: serverAddressOf(prefix),
  };
}

function textOf(data: LinkSecretData, key: string): string {
  const value = data[key];
  if (value === undefined || value === '') throw invalid(`its data "${key}" is missing`);
  return Buffer.from(value, 'base64').toString('utf8');
}

function invalid(why: string): BloomeryError {
  return new BloomeryError('BLM_LINK_SECRET_INVALID', `reading the Secret siderolink: ${why}`);
}
