import { NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST } from './netlink-message.ts';
import { macBytes, NetlinkWriter } from './netlink-writer.ts';
import { AF_UNSPEC, RTM_DELLINK, RTM_DELLINKPROP, RTM_GETLINK, RTM_NEWLINK, RTM_NEWLINKPROP } from './rtnl.ts';
import { encodeBond, type RtnlBond } from './rtnl-bond.ts';

const IFF_UP = 0x1;
const IFF_MULTICAST = 0x1000;
/** Leave the counters out of the answer: they are half of it. */
const SKIP_STATS = 8;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_EXT_MASK = 29;
const IFLA_PROP_LIST = 52;
const IFLA_ALT_IFNAME = 53;

/** What a new link is made of. */
export interface RtnlNewLink {
  readonly name: string;
  readonly kind: string;
  readonly hardwareAddr?: string;
  readonly mtu?: number;
  /** Of a VLAN: the link that carries it. */
  readonly parentIndex?: number;
  readonly vlan?: { readonly id: number; readonly protocol: number };
  readonly bond?: RtnlBond;
  readonly bridge?: { readonly stp?: boolean; readonly vlanFiltering?: boolean };
  readonly vrf?: { readonly table: number };
  readonly veth?: { readonly peerName: string };
}

/** What is changed of a link in one request; what is absent stays. */
export interface RtnlLinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly hardwareAddr?: string;
  readonly multicast?: boolean;
  /** 0: release. */
  readonly masterIndex?: number;
  readonly name?: string;
  /** Empty: none. */
  readonly alias?: string;
  readonly bond?: RtnlBond;
  readonly bridge?: { readonly stp?: boolean; readonly vlanFiltering?: boolean };
}

interface Head {
  readonly type: number;
  readonly flags: number;
  readonly index?: number;
  readonly linkFlags?: number;
  readonly changeMask?: number;
}

/** Ask for all links. */
export function encodeLinkDump(): Uint8Array {
  return start({ type: RTM_GETLINK, flags: NLM_F_DUMP }).u32(IFLA_EXT_MASK, SKIP_STATS).finish();
}

/** Ask for one link. */
export function encodeLinkGet(index: number): Uint8Array {
  return start({ type: RTM_GETLINK, flags: NLM_F_ACK, index }).u32(IFLA_EXT_MASK, SKIP_STATS).finish();
}

/** Make a link. */
export function encodeNewLink(link: RtnlNewLink): Uint8Array {
  const writer = start({ type: RTM_NEWLINK, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL });
  writer.text(IFLA_IFNAME, link.name);
  if (link.mtu !== undefined) writer.u32(IFLA_MTU, link.mtu);
  if (link.hardwareAddr !== undefined) writer.bytes(IFLA_ADDRESS, macBytes(link.hardwareAddr));
  if (link.parentIndex !== undefined) writer.u32(IFLA_LINK, link.parentIndex);
  return writeInfo(writer, link.kind, link).finish();
}

/** Change a link. Names are changed with `encodeAltNames`. */
export function encodeLinkChange(index: number, kind: string, change: RtnlLinkChange): Uint8Array {
  const { up, multicast } = change;
  const writer = start({
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    index,
    linkFlags: (up === true ? IFF_UP : 0) | (multicast === true ? IFF_MULTICAST : 0),
    changeMask: (up === undefined ? 0 : IFF_UP) | (multicast === undefined ? 0 : IFF_MULTICAST),
  });
  if (change.name !== undefined) writer.text(IFLA_IFNAME, change.name);
  if (change.mtu !== undefined) writer.u32(IFLA_MTU, change.mtu);
  if (change.hardwareAddr !== undefined) writer.bytes(IFLA_ADDRESS, macBytes(change.hardwareAddr));
  // Without a NUL behind it: an alias of no bytes takes the old one away.
  if (change.alias !== undefined) writer.bytes(IFLA_IFALIAS, Buffer.from(change.alias));
  if (change.masterIndex !== undefined) writer.u32(IFLA_MASTER, change.masterIndex);
  if (change.bond !== undefined || change.bridge !== undefined) writeInfo(writer, kind, change);
  return writer.finish();
}

/** Add alternative names, or take them away. */
export function encodeAltNames(index: number, names: readonly string[], remove: boolean): Uint8Array {
  const flags = remove ? NLM_F_ACK : NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND_PROPERTY;
  return start({ type: remove ? RTM_DELLINKPROP : RTM_NEWLINKPROP, flags, index })
    .nested(IFLA_PROP_LIST, (list) => {
      for (const name of names) list.text(IFLA_ALT_IFNAME, name);
    })
    .finish();
}

const NLM_F_APPEND_PROPERTY = 0x800;

/** Remove a link. */
export function encodeLinkRemoval(index: number): Uint8Array {
  return start({ type: RTM_DELLINK, flags: NLM_F_ACK, index }).finish();
}

function start({ type, flags, index = 0, linkFlags = 0, changeMask = 0 }: Head): NetlinkWriter {
  return new NetlinkWriter({ type, flags: flags | NLM_F_REQUEST }).fixed(
    [8, AF_UNSPEC],
    [8, 0],
    [16, 0],
    [32, index],
    [32, linkFlags],
    [32, changeMask],
  );
}

function writeInfo(writer: NetlinkWriter, kind: string, link: Omit<RtnlNewLink, 'name' | 'kind'>): NetlinkWriter {
  return writer.nested(IFLA_LINKINFO, (info) => {
    info.text(1, kind);
    const { vlan, bond, bridge, vrf, veth } = link;
    if (vlan !== undefined) info.nested(2, (data) => data.u16(1, vlan.id).be16(5, vlan.protocol));
    if (bond !== undefined) info.nested(2, (data) => encodeBond(data, bond));
    if (bridge !== undefined) info.nested(2, (data) => encodeBridge(data, bridge));
    if (vrf !== undefined) info.nested(2, (data) => data.u32(1, vrf.table));
    if (veth !== undefined)
      info.nested(2, (data) =>
        data.nested(1, (peer) => peer.fixed([32, 0], [32, 0], [32, 0], [32, 0]).text(IFLA_IFNAME, veth.peerName)),
      );
  });
}

function encodeBridge(writer: NetlinkWriter, bridge: NonNullable<RtnlNewLink['bridge']>): void {
  if (bridge.stp !== undefined) writer.u32(5, bridge.stp ? 1 : 0);
  if (bridge.vlanFiltering !== undefined) writer.u8(7, bridge.vlanFiltering ? 1 : 0);
}
