import { isDeepStrictEqual } from 'node:util';
import { LinkSpec } from '../resources/links.ts';

type Wireguard = LinkSpec['wireguard'];

/** Fields that a higher layer overwrites when it says something, that is anything but zero. */
const OVERWRITTEN = ['logical', 'up', 'mtu', 'kind', 'type', 'parentName', 'hardwareAddr'] as const;
/** Blocks that a higher layer overwrites as a whole when any field of them says something. */
const WHOLE_BLOCKS = [
  'bondSlave',
  'bridgeSlave',
  'vrfSlave',
  'vlan',
  'bridgeMaster',
  'vrfMaster',
  'bondMaster',
] as const;

/**
 * One link out of what the layers say of it, lowest first. Higher layers overwrite what they set: so `up: false` cannot override
 * `up: true`, as upstream has it. WireGuard is merged field by field, and peers are added unless their key is there already.
 *
 * @param specs at least one
 * @see spec/node.md section 4
 */
export function mergeLinks(specs: readonly LinkSpec[]): LinkSpec {
  return specs.reduce((low, high) => mergeTwo(low, high), LinkSpec.make());
}

function mergeTwo(low: LinkSpec, high: LinkSpec): LinkSpec {
  const said = [...OVERWRITTEN, ...WHOLE_BLOCKS].filter((key) => !isZero(high, key));
  return {
    ...low,
    ...Object.fromEntries(said.map((key) => [key, high[key]])),
    name: high.name,
    layer: high.layer,
    veth: high.veth.peerName === '' ? low.veth : high.veth,
    multicast: high.multicast ?? low.multicast,
    wireguard: mergeWireguard(low.wireguard, high.wireguard),
  };
}

const isZero = (spec: LinkSpec, key: keyof LinkSpec): boolean =>
  isDeepStrictEqual(spec[key], LinkSpec.fields[key].zero);

function mergeWireguard(low: Wireguard, high: Wireguard): Wireguard {
  const known = new Set(low.peers.map(({ publicKey }) => publicKey));
  return {
    privateKey: high.privateKey || low.privateKey,
    publicKey: high.publicKey || low.publicKey,
    listenPort: high.listenPort || low.listenPort,
    firewallMark: high.firewallMark || low.firewallMark,
    peers: [...low.peers, ...high.peers.filter(({ publicKey }) => !known.has(publicKey))],
  };
}
