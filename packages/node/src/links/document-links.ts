import { parseGoDurationMs } from '@bloomery/wire';
import type { NodeDocument } from '../config/node-config.ts';
import { asNumber, asRecord, asRecords, asText } from '../config/plain-value.ts';
import { ROUTING_TABLE } from '../resources/enumerations.ts';
import type { LinkSpec } from '../resources/links.ts';
import { bondMaster } from './bond-master.ts';
import { bridgeFields, type KnownLinks, logical, vlanFields, wireguardFields } from './device-links.ts';
import type { LinkDrafts, MasterKind } from './link-drafts.ts';
import { canonicalEndpoint } from './resolve-endpoints.ts';

type Value = Readonly<Record<string, unknown>>;
type FieldsOf = (value: Value, known: KnownLinks) => Partial<LinkSpec>;

/** What each kind of document says of its link beyond what they have in common. */
const FIELDS: Readonly<Record<string, FieldsOf>> = {
  LinkConfig: () => ({}),
  DummyLinkConfig: () => logical('dummy'),
  VethConfig: (value) => vethFields(asText(asRecord(value['peer'])?.['name'])),
  VLANConfig: (value, { names }) => {
    const protocol = value['vlanMode'] === '802.1ad' ? '802.1ad' : '802.1q';
    return vlanFields(names.resolve(asText(value['parent'])), asNumber(value['vlanID']), protocol);
  },
  BondConfig: (value, { indexOf }) => {
    const primary = asText(value['primary']);
    return { ...logical('bond'), bondMaster: bondMaster(value, primary === '' ? undefined : indexOf(primary)) };
  },
  BridgeConfig: (value) =>
    bridgeFields(asRecord(value['stp'])?.['enabled'] === true, asRecord(value['vlan'])?.['filtering'] === true),
  VRFConfig: (value) => ({ ...logical('vrf'), vrfMaster: { table: routingTable(value['table']) } }),
  WireguardConfig: (value) => wireguardFields(wireguardOf(value)),
};

/** Kinds of documents whose `links` become members. */
const MASTERS: Readonly<Record<string, MasterKind>> = { BondConfig: 'bond', BridgeConfig: 'bridge', VRFConfig: 'VRF' };

/** The links that a document asks for. Documents of other kinds ask for none. */
export function draftDocument(document: NodeDocument, drafts: LinkDrafts, known: KnownLinks): void {
  const { kind, name: written = '', value, line } = document;
  if (kind === 'DHCPv4Config' || kind === 'DHCPv6Config') {
    const name = known.names.resolve(written);
    if (!drafts.has(name)) drafts.set(name, {});
    return;
  }
  const fieldsOf = Object.hasOwn(FIELDS, kind) ? FIELDS[kind] : undefined;
  if (fieldsOf === undefined) return;
  const name = kind === 'LinkConfig' ? known.names.resolve(written) : written;
  drafts.set(name, { ...fieldsOf(value, known), ...shared(value) });
  const peer = asRecord(value['peer']);
  if (kind === 'VethConfig' && peer !== undefined) {
    drafts.set(asText(peer['name']), { ...vethFields(name), ...shared(peer) });
  }
  const master = MASTERS[kind];
  const members = Array.isArray(value['links']) ? value['links'].map(asText) : [];
  if (master === undefined) return;
  for (const [index, member] of members.entries()) {
    const place = `${kind} ${name}, line ${line}`;
    drafts.enslave(known.names.resolve(member), { kind: master, master: name, index, place });
  }
}

/** Names of links that a document mentions: its own, its parent's and its members'. */
export function linksMentioned({ kind, name, value }: NodeDocument): readonly string[] {
  if (!Object.hasOwn(FIELDS, kind)) return [];
  const members = Array.isArray(value['links']) ? value['links'].map(asText) : [];
  return [name ?? '', asText(value['parent']), ...members].filter((mentioned) => mentioned !== '');
}

/** What all documents of the family have: links are up unless they say otherwise. */
function shared(value: Value): Partial<LinkSpec> {
  const { up, multicast } = value;
  const mtu = asNumber(value['mtu']);
  const hardwareAddr = asText(value['hardwareAddr']).toLowerCase();
  return {
    up: up !== false,
    ...(mtu === 0 ? {} : { mtu }),
    ...(hardwareAddr === '' ? {} : { hardwareAddr }),
    ...(typeof multicast === 'boolean' ? { multicast } : {}),
  };
}

const vethFields = (peerName: string): Partial<LinkSpec> => ({ ...logical('veth'), veth: { peerName } });

function routingTable(value: unknown): LinkSpec['vrfMaster']['table'] {
  const byName: Readonly<Record<string, number>> = ROUTING_TABLE;
  const number = typeof value === 'string' && Object.hasOwn(byName, value) ? (byName[value] ?? 0) : asNumber(value);
  return `${number}`;
}

function wireguardOf(value: Value): LinkSpec['wireguard'] {
  return {
    privateKey: asText(value['privateKey']),
    publicKey: '',
    listenPort: asNumber(value['listenPort']),
    firewallMark: asNumber(value['firewallMark']),
    peers: asRecords(value['peers']).map((peer) => ({
      publicKey: asText(peer['publicKey']),
      presharedKey: asText(peer['presharedKey']),
      endpoint: canonicalEndpoint(asText(peer['endpoint'])),
      persistentKeepaliveInterval: parseGoDurationMs(asText(peer['persistentKeepaliveInterval'])) ?? 0,
      allowedIPs: Array.isArray(peer['allowedIPs']) ? peer['allowedIPs'].map(asText) : [],
    })),
  };
}
