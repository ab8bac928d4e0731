import { type NetlinkBytes, netlinkTruncated } from './netlink-bytes.ts';
import { AF_UNSPEC } from './rtnl.ts';
import { decodeBond, type RtnlBond } from './rtnl-bond.ts';

/** A link as RTM_NEWLINK tells it. Texts are empty and numbers 0 for what is not there. */
export interface RtnlLink {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_*. */
  readonly type: number;
  /** IFF_*. */
  readonly flags: number;
  readonly mtu: number;
  /** Lower case with colons. */
  readonly hardwareAddr: string;
  readonly permanentAddr: string;
  readonly broadcastAddr: string;
  readonly queueDisc: string;
  readonly masterIndex: number;
  /** The link it stands on, or its other end. */
  readonly linkIndex: number;
  /** IF_OPER_*. */
  readonly operationalState: number;
  /** `bond`, `vlan`, `bridge`, `dummy`, `wireguard`, `veth`, `vrf`, …; empty for hardware. */
  readonly kind: string;
  readonly slaveKind: string;
  readonly alias: string;
  readonly altNames: readonly string[];
  readonly vlan?: { readonly id: number; readonly protocol: number };
  readonly bridge?: { readonly stp: boolean; readonly vlanFiltering: boolean };
  readonly bond?: RtnlBond;
  readonly vrf?: { readonly table: number };
}

type Draft = { -readonly [K in keyof RtnlLink]: RtnlLink[K] };

const FIXED = 16;
const IFLA_WIRELESS = 11;
const NO_NAMES: readonly string[] = [];

/**
 * Read the body of RTM_NEWLINK or RTM_DELLINK.
 *
 * @returns undefined for what only tells of a port of a bridge, or of wireless: it is not the whole link.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 * @see rtnetlink(7), linux/if_link.h
 */
export function decodeRtnlLink(bytes: NetlinkBytes, from: number, to: number): RtnlLink | undefined {
  if (to - from < FIXED) throw netlinkTruncated('a link');
  if (bytes.u8(from, to) !== AF_UNSPEC) return undefined;
  let isPartial = false;
  const link: Draft = {
    index: bytes.i32(from + 4, to),
    name: '',
    type: bytes.u16(from + 2, to),
    flags: bytes.u32(from + 8, to),
    mtu: 0,
    hardwareAddr: '',
    permanentAddr: '',
    broadcastAddr: '',
    queueDisc: '',
    masterIndex: 0,
    linkIndex: 0,
    operationalState: 0,
    kind: '',
    slaveKind: '',
    alias: '',
    altNames: NO_NAMES,
  };
  bytes.attributes(from + FIXED, to, (type, start, end) => {
    if (type === IFLA_WIRELESS) isPartial = true;
    readAttribute(bytes, link, type, start, end);
  });
  return isPartial ? undefined : link;
}

function readAttribute(bytes: NetlinkBytes, link: Draft, type: number, from: number, to: number): void {
  switch (type) {
    case 1:
      link.hardwareAddr = bytes.mac(from, to);
      break;
    case 2:
      link.broadcastAddr = bytes.mac(from, to);
      break;
    case 3:
      link.name = bytes.text(from, to);
      break;
    case 4:
      link.mtu = bytes.u32(from, to);
      break;
    case 5:
      link.linkIndex = bytes.u32(from, to);
      break;
    case 6:
      link.queueDisc = bytes.text(from, to);
      break;
    case 10:
      link.masterIndex = bytes.u32(from, to);
      break;
    case 16:
      link.operationalState = bytes.u8(from, to);
      break;
    case 18:
      readInfo(bytes, link, from, to);
      break;
    case 20:
      link.alias = bytes.text(from, to);
      break;
    case 52:
      link.altNames = readNames(bytes, from, to);
      break;
    case 54:
      link.permanentAddr = bytes.mac(from, to);
      break;
    default:
  }
}

/** IFLA_PROP_LIST: alternative names. */
function readNames(bytes: NetlinkBytes, from: number, to: number): readonly string[] {
  const names: string[] = [];
  bytes.attributes(from, to, (type, start, end) => {
    if (type === 53) names.push(bytes.text(start, end));
  });
  return names;
}

/** IFLA_LINKINFO. */
function readInfo(bytes: NetlinkBytes, link: Draft, from: number, to: number): void {
  let dataFrom = 0;
  let dataTo = 0;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === 1) link.kind = bytes.text(start, end);
    else if (type === 4) link.slaveKind = bytes.text(start, end);
    else if (type === 2) {
      dataFrom = start;
      dataTo = end;
    }
  });
  if (link.kind === 'vlan') link.vlan = readVlan(bytes, dataFrom, dataTo);
  else if (link.kind === 'bond') link.bond = decodeBond(bytes, dataFrom, dataTo);
  else if (link.kind === 'bridge') link.bridge = readBridge(bytes, dataFrom, dataTo);
  else if (link.kind === 'vrf') link.vrf = readVrf(bytes, dataFrom, dataTo);
}

function readVlan(bytes: NetlinkBytes, from: number, to: number): NonNullable<RtnlLink['vlan']> {
  let id = 0;
  let protocol = 0;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === 1) id = bytes.u16(start, end);
    else if (type === 5) protocol = bytes.be16(start, end);
  });
  return { id, protocol };
}

function readBridge(bytes: NetlinkBytes, from: number, to: number): NonNullable<RtnlLink['bridge']> {
  let stp = false;
  let vlanFiltering = false;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === 5) stp = bytes.u32(start, end) !== 0;
    else if (type === 7) vlanFiltering = bytes.u8(start, end) !== 0;
  });
  return { stp, vlanFiltering };
}

function readVrf(bytes: NetlinkBytes, from: number, to: number): NonNullable<RtnlLink['vrf']> {
  let table = 0;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === 1) table = bytes.u32(start, end);
  });
  return { table };
}
