import type { YamlMap } from '../yaml/index.ts';
import type { DocumentValidators } from './documents.ts';
import { expressionProblem } from './expression.ts';
import { type Findings, isSet, listAt, mapAt, mapsAt, numberAt, quoted, textAt } from './section.ts';
import { wireguardKeyProblem } from './wireguard.ts';

/** Documents that configure network links. */
export const LINK_DOCUMENTS: DocumentValidators = {
  BondConfig: bond,
  BridgeConfig: link,
  DummyLinkConfig: link,
  LinkConfig: link,
  VLANConfig: vlan,
  VRFConfig: vrf,
  WireguardConfig: wireguard,
  LinkAliasConfig: alias,
  EthernetConfig: (document, found) => {
    if (textAt(document, 'name') === '') found.errors.push('name is required');
  },
};

/** Pushes the problem of a document without a name. */
export function needName(document: YamlMap, found: Findings, problem = 'name must be specified'): void {
  if (textAt(document, 'name') === '') found.errors.push(problem);
}

function link(document: YamlMap, found: Findings): void {
  needName(document, found);
  found.errors.push(...addressProblems(document));
}

const isUnspecified = (text: string): boolean => /^(0\.0\.0\.0|::|::ffff:0:0)$/.test(text.replace(/\/\d+$/, ''));

function addressProblems(document: YamlMap): string[] {
  const problems: string[] = [];
  for (const [at, item] of mapsAt(document, 'addresses').entries()) {
    const address = textAt(item, 'address');
    if (address === '') problems.push(`address ${at} must be specified`);
    else if (isUnspecified(address)) problems.push(`address ${at} must be a valid IP address`);
  }
  for (const [at, route] of mapsAt(document, 'routes').entries()) {
    const parts = [
      ['destination', 'prefix'],
      ['gateway', 'address'],
      ['source', 'address'],
    ] as const;
    for (const [key, what] of parts) {
      if (isUnspecified(textAt(route, key))) problems.push(`route ${at} ${key} must be a valid IP ${what}`);
    }
  }
  return problems;
}

function bond(document: YamlMap, found: Findings): void {
  needName(document, found);
  if (listAt(document, 'links').length === 0) found.errors.push('at least one link must be specified');
  const mode = textAt(document, 'bondMode');
  if (!isSet(document, 'bondMode')) found.errors.push('bond mode must be specified');
  if (mode === '802.3ad') {
    for (const key of ['miimon', 'updelay', 'downdelay']) {
      if (!isSet(document, key)) found.warnings.push(`${key} was not specified for 802.3ad bond`);
    }
  }
  found.errors.push(...addressProblems(document));
}

const MAX_VLAN = 4094;

function vlan(document: YamlMap, found: Findings): void {
  needName(document, found);
  const id = numberAt(document, 'vlanID');
  if (id === 0 || id > MAX_VLAN) found.errors.push(`vlanID must be specified and between 1 and ${MAX_VLAN}`);
  if (textAt(document, 'parent') === '') found.errors.push('parent must be specified');
  found.errors.push(...addressProblems(document));
}

const RESERVED_TABLES: Readonly<Record<string, string>> = {
  '': 'unspec',
  '0': 'unspec',
  '253': 'default',
  '254': 'main',
  '255': 'local',
  unspec: 'unspec',
  default: 'default',
  main: 'main',
  local: 'local',
};

/** The reserved routing table at `key` by its name; undefined for any other. */
export function reservedTable(document: YamlMap, key: string): string | undefined {
  const text = textAt(document, key);
  return Object.hasOwn(RESERVED_TABLES, text) ? RESERVED_TABLES[text] : undefined;
}

function vrf(document: YamlMap, found: Findings): void {
  needName(document, found);
  const table = reservedTable(document, 'table');
  if (table !== undefined) found.errors.push(`cannot create vrf with reserved table ${table}`);
  found.errors.push(...addressProblems(document));
}

const MAX_PORT = 65_535;

function wireguard(document: YamlMap, found: Findings): void {
  needName(document, found);
  const key = textAt(document, 'privateKey');
  const own = key === '' ? undefined : keyProblem(key);
  if (key === '') found.errors.push('wireguard private key must be specified');
  if (own !== undefined) found.errors.push(`wireguard private key is invalid: ${own}`);
  const port = numberAt(document, 'listenPort');
  if (port < 0 || port > MAX_PORT) found.errors.push(`wireguard listen port must be between 0 and ${MAX_PORT}`);
  for (const [at, peer] of mapsAt(document, 'peers').entries()) {
    found.errors.push(...peerProblems(peer).map(([what, why]) => `wireguard peer ${what} (peer index ${at})${why}`));
  }
  found.errors.push(...addressProblems(document));
}

const keyProblem = (key: string): string | undefined => {
  const problem = wireguardKeyProblem(key);
  return problem?.startsWith('wrong') === true ? 'invalid wireguard key length' : problem;
};

function peerProblems(peer: YamlMap): [what: string, why: string][] {
  const problems: [string, string][] = [];
  const publicKey = textAt(peer, 'publicKey');
  const presharedKey = textAt(peer, 'presharedKey');
  const wrongPublic = publicKey === '' ? undefined : keyProblem(publicKey);
  const wrongShared = presharedKey === '' ? undefined : keyProblem(presharedKey);
  if (publicKey === '') problems.push(['public key must be specified', '']);
  if (wrongPublic !== undefined) problems.push(['public key is invalid', `: ${wrongPublic}`]);
  if (wrongShared !== undefined) problems.push(['preshared key is invalid', `: ${wrongShared}`]);
  if (textAt(peer, 'persistentKeepaliveInterval').startsWith('-')) {
    problems.push(['persistent keepalive interval cannot be negative', '']);
  }
  return problems;
}

function alias(document: YamlMap, found: Findings): void {
  const name = textAt(document, 'name');
  const [prefix = '', suffix] = splitOnce(name, '%');
  if (name === '') found.errors.push('name must be specified');
  else if (suffix !== undefined && (suffix !== 'd' || prefix === '')) {
    found.errors.push(`name ${quoted(name)} contains an invalid format verb, use %d suffix`);
  }
  const match = textAt(mapAt(document, 'selector'), 'match');
  const problem = match === '' ? undefined : expressionProblem('link', match);
  if (match === '') found.errors.push('link selector is required');
  if (problem !== undefined) found.errors.push(`link selector is invalid: ${problem}`);
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
