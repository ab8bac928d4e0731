import { isIP } from 'node:net';
import {
  isLegacy,
  type LocatedDocument,
  mapAt,
  mapsAt,
  textAt,
  textsAt,
  wireguardKeyProblem,
  type YamlMap,
} from '@bloomery/talos';
import { linkProblems } from './link-checks.ts';

/** What Talos says of v1alpha1 documents and `nodeProblems` says with its place. */
export const SAID_WITH_PLACE: readonly RegExp[] = [
  /^peer endpoint ".*" is invalid$/s,
  /^(private key is|public key) invalid: /,
];

/** What is wrong beyond what Talos 1.13 looks at: with what the daemon takes in addition, and where a hint helps. */
export function nodeProblems(documents: readonly LocatedDocument[]): string[] {
  return documents.flatMap((document) => [...linkProblems(document), ...kindProblems(document)]);
}

function kindProblems(document: LocatedDocument): string[] {
  if (isLegacy(document)) return legacyProblems(document);
  if (document.kind === 'WireguardConfig') return endpointProblems(document, document.tree, '');
  if (document.kind === 'ResolverConfig') return resolverProblems(document);
  if (document.kind === 'VethConfig') return vethProblems(document);
  return document.kind === 'HTTPProbeConfig' ? httpProbeProblems(document) : [];
}

const place = (document: LocatedDocument, path: string): string => `${path}, line ${document.lineOf(path)}`;

function legacyProblems(document: LocatedDocument): string[] {
  return mapsAt(mapAt(document.tree, 'machine', 'network'), 'interfaces').flatMap((device, at) => {
    if (device['ignore'] === true) return [];
    const path = `machine.network.interfaces.${at}`;
    const wireguard = mapAt(device, 'wireguard');
    const bridge = mapAt(device, 'bridge');
    return [
      ...(wireguard === undefined ? [] : keyProblems(document, wireguard, `${path}.wireguard`)),
      ...(wireguard === undefined ? [] : endpointProblems(document, wireguard, `${path}.wireguard.`)),
      ...(bridge === undefined ? [] : bridgeProblems(document, bridge, `${path}.bridge`)),
    ];
  });
}

function bridgeProblems(document: LocatedDocument, bridge: YamlMap, path: string): string[] {
  const selectors = mapsAt(bridge, 'deviceSelectors');
  if (selectors.length === 0) return [];
  const problems = selectors.flatMap((selector, at) =>
    Object.keys(selector).length > 0
      ? []
      : [`a device selector should contain at least one field (${place(document, `${path}.deviceSelectors.${at}`)})`],
  );
  const both = textsAt(bridge, 'interfaces').length > 0;
  const where = `${place(document, `${path}.interfaces`)}, and ${place(document, `${path}.deviceSelectors`)}`;
  return both ? [...problems, `a bridge has both interfaces and deviceSelectors set (${where})`] : problems;
}

function keyProblems(document: LocatedDocument, wireguard: YamlMap, path: string): string[] {
  const problemOf = (says: string, owner: YamlMap, key: string, at: string): string[] => {
    const problem = wireguardKeyProblem(textAt(owner, key));
    return problem === undefined ? [] : [`${says}: ${problem} (${place(document, `${at}.${key}`)})`];
  };
  return [
    ...problemOf('private key is invalid', wireguard, 'privateKey', path),
    ...mapsAt(wireguard, 'peers').flatMap((peer, at) =>
      problemOf('public key invalid', peer, 'publicKey', `${path}.peers.${at}`),
    ),
  ];
}

const ENDPOINT = /^(?:\[([^[\]]{1,100})\]|([^[\]:]{1,253})):(\d{1,5})$/;
const DOT_FOR_COLON = /^(\d{1,3}(?:\.\d{1,3}){3})\.(\d{1,5})$/;
const MAX_PORT = 65_535;

/** Endpoints of WireGuard peers are `host:port`; with a dot for the colon they look like an address of five parts. */
function endpointProblems(document: LocatedDocument, wireguard: YamlMap, prefix: string): string[] {
  return mapsAt(wireguard, 'peers').flatMap((peer, at) => {
    const endpoint = textAt(peer, 'endpoint');
    if (endpoint === '') return [];
    const match = ENDPOINT.exec(endpoint);
    const isBracketed = match?.[1] !== undefined;
    const port = Number(match?.[3] ?? 0);
    if (match !== null && port >= 1 && port <= MAX_PORT && (!isBracketed || isIP(match[1] ?? '') === 6)) return [];
    const dotted = DOT_FOR_COLON.exec(endpoint);
    const hint = dotted === null ? '' : `; did you mean ${dotted[1] ?? ''}:${dotted[2] ?? ''}`;
    const where = place(document, `${prefix}peers.${at}.endpoint`);
    return [
      `peer endpoint ${JSON.stringify(endpoint.slice(0, 300))} is invalid: it is not host:port${hint} (${where})`,
    ];
  });
}

const DOMAIN = /^(?=.{1,253}\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;
const PROTOCOLS = ['', 'Do53', 'DoT', 'DoH'];

function resolverProblems(document: LocatedDocument): string[] {
  const { tree } = document;
  const known = new Map<string, string>();
  const problems = nameserverProblems(document, tree, '');
  for (const [at, domain] of mapsAt(tree, 'domains').entries()) {
    const path = `domains.${at}`;
    const name = textAt(domain, 'name').toLowerCase().replace(/\.$/, '');
    const where = place(document, `${path}.name`);
    if (!DOMAIN.test(name)) problems.push(`a domain of its own resolvers needs a name such as corp.example (${where})`);
    if (mapsAt(domain, 'nameservers').length === 0) {
      problems.push(`domain ${JSON.stringify(name)} needs at least one nameserver (${where})`);
    }
    const other = known.get(name);
    if (other !== undefined) problems.push(`domain ${JSON.stringify(name)} is given twice (${other}, and ${where})`);
    known.set(name, where);
    problems.push(...nameserverProblems(document, domain, `${path}.`));
  }
  return problems;
}

function nameserverProblems(document: LocatedDocument, tree: YamlMap, prefix: string): string[] {
  return mapsAt(tree, 'nameservers').flatMap((server, at) => {
    const path = `${prefix}nameservers.${at}`;
    const protocol = textAt(server, 'protocol');
    const problems: string[] = [];
    if (textAt(server, 'address') === '') problems.push(`a nameserver needs an address (${place(document, path)})`);
    if (!PROTOCOLS.includes(protocol)) {
      const where = place(document, `${path}.protocol`);
      problems.push(
        `nameserver protocol ${JSON.stringify(protocol.slice(0, 50))} is none of Do53, DoT and DoH (${where})`,
      );
    }
    return problems;
  });
}

function vethProblems(document: LocatedDocument): string[] {
  const peer = textAt(mapAt(document.tree, 'peer'), 'name');
  const id = `VethConfig/${document.name}`;
  if (document.name === '') return [`VethConfig: name must be specified (line ${document.lineOf('')})`];
  if (peer === '') return [`${id}: peer name must be specified (line ${document.lineOf('')})`];
  return peer === document.name ? [`${id}: the peer needs another name (${place(document, 'peer.name')})`] : [];
}

function httpProbeProblems(document: LocatedDocument): string[] {
  const id = `HTTPProbeConfig/${document.name}`;
  if (document.name === '') return [`HTTPProbeConfig: probe name is required (line ${document.lineOf('')})`];
  return /^https?:\/\/[^/\s]+/.test(textAt(document.tree, 'endpoint').slice(0, 2_000))
    ? []
    : [`${id}: HTTP probe endpoint must be an http:// or https:// URL (${place(document, 'endpoint')})`];
}
