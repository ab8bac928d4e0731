import { field, isLegacy, type LocatedDocument, mapAt, mapsAt, numberAt, textAt, type YamlMap } from '@bloomery/talos';
import { parseGoDurationMs } from '@bloomery/wire';
import { parseIp, parsePrefix } from '../ip/ip-prefix.ts';
import { isOtherFamily } from '../routes/route-spec.ts';

const UINT16 = 0xffff;
const UINT32 = 0xffff_ffff;

/** A part of a document: a link, and how its place begins. */
interface Part {
  readonly document: LocatedDocument;
  readonly map: YamlMap;
  /** Empty, or with a dot at its end. */
  readonly prefix: string;
}

/**
 * What Talos takes of a link and no kernel can: numbers that do not fit, which Talos cuts, and a gateway of another IP family than what
 * is reached through it.
 */
export function linkProblems(document: LocatedDocument): string[] {
  const parts = partsOf(document);
  return [
    ...parts.flatMap((part) => routeProblems(part)),
    ...parts.flatMap((part) => outside(part, 'mtu', UINT32)),
    ...parts.flatMap((part) => wireguardProblems(part)),
  ];
}

function partsOf(document: LocatedDocument): Part[] {
  if (!isLegacy(document)) {
    const peer = mapAt(document.tree, 'peer');
    const own = { document, map: document.tree, prefix: '' };
    return peer === undefined ? [own] : [own, { document, map: peer, prefix: 'peer.' }];
  }
  return mapsAt(mapAt(document.tree, 'machine', 'network'), 'interfaces').flatMap((map, at) => {
    if (map['ignore'] === true) return [];
    const prefix = `machine.network.interfaces.${at}.`;
    const wireguard = mapAt(map, 'wireguard');
    return [
      { document, map, prefix },
      ...mapsAt(map, 'vlans').map((vlan, index) => ({ document, map: vlan, prefix: `${prefix}vlans.${index}.` })),
      ...(wireguard === undefined ? [] : [{ document, map: wireguard, prefix: `${prefix}wireguard.` }]),
    ];
  });
}

function routeProblems({ document, map, prefix }: Part): string[] {
  return mapsAt(map, 'routes').flatMap((route, at) => {
    const destination = textAt(route, 'network') || textAt(route, 'destination');
    const gateway = textAt(route, 'gateway');
    if (!isOtherFamily(parsePrefix(destination), parseIp(gateway))) return [];
    const path = `${prefix}routes.${at}.gateway`;
    const where = `${path}, line ${document.lineOf(path)}`;
    return [`route to ${destination}: gateway ${gateway} is of another IP family (${where})`];
  });
}

function wireguardProblems(part: Part): string[] {
  const { document, map, prefix } = part;
  const keepalive = 'persistentKeepaliveInterval';
  return [
    ...outside(part, 'listenPort', UINT16),
    ...outside(part, 'firewallMark', UINT32),
    ...mapsAt(map, 'peers').flatMap((peer, at) => {
      const seconds = (parseGoDurationMs(textAt(peer, keepalive)) ?? 0) / 1_000;
      const path = `${prefix}peers.${at}.${keepalive}`;
      const where = `${path}, line ${document.lineOf(path)}`;
      return seconds >= 0 && seconds <= UINT16
        ? []
        : [`${keepalive} ${seconds}s is not from 0s to ${UINT16}s (${where})`];
    }),
  ];
}

function outside({ document, map, prefix }: Part, key: string, max: number): string[] {
  const number = numberAt(map, key);
  const path = `${prefix}${key}`;
  return field(map, key) === undefined || (number >= 0 && number <= max)
    ? []
    : [`${key} ${number} is not from 0 to ${max} (${path}, line ${document.lineOf(path)})`];
}
