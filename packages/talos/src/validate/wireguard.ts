import type { YamlMap } from '../yaml/index.ts';
import { cidrProblem, hasPort } from './network-text.ts';
import { mapsAt, quoted, textAt, textsAt } from './section.ts';

const KEY_BYTES = 32;

/** What is wrong with a WireGuard key; never the key itself. */
export function wireguardKeyProblem(key: string): string | undefined {
  const bare = key.replace(/[\r\n]/g, '');
  if (bare.length > 1000 || bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) {
    return 'illegal base64 data';
  }
  const bytes = Buffer.from(bare, 'base64').byteLength;
  return bytes === KEY_BYTES ? undefined : `wrong key length: ${bytes}`;
}

/** What is wrong with `wireguard` of an interface of the legacy document. */
export function wireguardProblems(wireguard: YamlMap): string[] {
  const problems: string[] = [];
  const own = wireguardKeyProblem(textAt(wireguard, 'privateKey'));
  if (own !== undefined) problems.push(`private key is invalid: ${own}`);
  for (const peer of mapsAt(wireguard, 'peers')) {
    const key = wireguardKeyProblem(textAt(peer, 'publicKey'));
    if (key !== undefined) problems.push(`public key invalid: ${key}`);
    const endpoint = textAt(peer, 'endpoint');
    if (endpoint !== '' && !hasPort(endpoint)) problems.push(`peer endpoint ${quoted(endpoint)} is invalid`);
    for (const allowed of textsAt(peer, 'allowedIPs')) {
      const problem = cidrProblem(allowed);
      if (problem !== undefined) problems.push(`peer allowed IP ${quoted(allowed)} is invalid: ${problem}`);
    }
  }
  return problems;
}
