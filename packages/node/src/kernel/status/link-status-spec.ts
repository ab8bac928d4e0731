import {
  AD_LACP_ACTIVE,
  AD_SELECT,
  ARP_ALL_TARGETS,
  ARP_VALIDATE,
  BOND_MODE,
  BOND_XMIT_HASH_POLICY,
  DUPLEX,
  FAIL_OVER_MAC,
  LACP_RATE,
  LINK_TYPE,
  OPERATIONAL_STATE,
  PORT,
  PRIMARY_RESELECT,
  ROUTING_TABLE,
  VLAN_PROTOCOL,
} from '../../resources/enumerations.ts';
import { LinkStatus } from '../../resources/links.ts';
import type { KernelBond, KernelLink, LinkDetails } from '../kernel.ts';
import type { WireguardState } from '../kernel-wireguard.ts';
import { nameOfNumber } from './named-numbers.ts';

const PORT_OTHER = 255;
const DUPLEX_UNKNOWN = 255;

/** What a link's status shows. Of a WireGuard device never its secrets. */
export function linkStatusSpec(link: KernelLink, details: LinkDetails, wireguard?: WireguardState): LinkStatus {
  const { vlan, bridge, bond, vrf } = link;
  return LinkStatus.make({
    alias: link.alias,
    altNames: link.altNames,
    index: link.index,
    type: nameOfNumber(LINK_TYPE, link.type),
    linkIndex: link.linkIndex,
    flags: link.flags,
    hardwareAddr: link.hardwareAddr,
    permanentAddr: link.permanentAddr,
    broadcastAddr: link.broadcastAddr,
    mtu: link.mtu,
    queueDisc: link.queueDisc,
    masterIndex: link.masterIndex,
    operationalState: nameOfNumber(OPERATIONAL_STATE, link.operationalState),
    kind: link.kind,
    slaveKind: link.slaveKind,
    busPath: details.busPath ?? '',
    pciID: details.pciID ?? '',
    driver: details.driver ?? '',
    driverVersion: details.driverVersion ?? '',
    firmwareVersion: details.firmwareVersion ?? '',
    productID: details.productID ?? '',
    vendorID: details.vendorID ?? '',
    product: details.product ?? '',
    vendor: details.vendor ?? '',
    linkState: details.linkState ?? false,
    speedMbit: details.speedMbit ?? 0,
    port: nameOfNumber(PORT, details.port ?? PORT_OTHER),
    duplex: nameOfNumber(DUPLEX, details.duplex ?? DUPLEX_UNKNOWN),
    ...(vlan === undefined
      ? {}
      : { vlan: { vlanID: vlan.id, vlanProtocol: nameOfNumber(VLAN_PROTOCOL, vlan.protocol) } }),
    ...(bridge === undefined
      ? {}
      : { bridgeMaster: { stp: { enabled: bridge.stp }, vlan: { filteringEnabled: bridge.vlanFiltering } } }),
    ...(bond === undefined ? {} : { bondMaster: bondMaster(bond) }),
    ...(vrf === undefined ? {} : { vrfMaster: { table: nameOfNumber(ROUTING_TABLE, vrf.table) } }),
    ...(wireguard === undefined ? {} : { wireguard: wireguardDevice(wireguard) }),
  });
}

function bondMaster(bond: KernelBond): LinkStatus['bondMaster'] {
  const number = (name: string): number => {
    const value = bond[name];
    return typeof value === 'number' ? value : 0;
  };
  const list = (name: string): readonly string[] => {
    const value = bond[name];
    return typeof value === 'object' ? value : [];
  };
  const { primary, adLacpActive } = bond;
  return {
    mode: nameOfNumber(BOND_MODE, number('mode')),
    xmitHashPolicy: nameOfNumber(BOND_XMIT_HASH_POLICY, number('xmitHashPolicy')),
    lacpRate: nameOfNumber(LACP_RATE, number('lacpRate')),
    arpValidate: nameOfNumber(ARP_VALIDATE, number('arpValidate')),
    arpAllTargets: nameOfNumber(ARP_ALL_TARGETS, number('arpAllTargets')),
    primary: typeof primary === 'number' ? primary : undefined,
    primaryReselect: nameOfNumber(PRIMARY_RESELECT, number('primaryReselect')),
    failOverMac: nameOfNumber(FAIL_OVER_MAC, number('failOverMac')),
    adSelect: nameOfNumber(AD_SELECT, number('adSelect')),
    miimon: number('miimon'),
    updelay: number('updelay'),
    downdelay: number('downdelay'),
    arpInterval: number('arpInterval'),
    resendIgmp: number('resendIgmp'),
    minLinks: number('minLinks'),
    lpInterval: number('lpInterval'),
    packetsPerSlave: number('packetsPerSlave'),
    numPeerNotif: number('numPeerNotif'),
    tlbLogicalLb: number('tlbLogicalLb'),
    allSlavesActive: number('allSlavesActive'),
    useCarrier: number('useCarrier') !== 0,
    adActorSysPrio: number('adActorSysPrio'),
    adUserPortKey: number('adUserPortKey'),
    peerNotifyDelay: number('peerNotifyDelay'),
    arpIpTargets: list('arpIpTargets'),
    nsIp6Targets: list('nsIp6Targets'),
    adLacpActive: typeof adLacpActive === 'number' ? nameOfNumber(AD_LACP_ACTIVE, adLacpActive) : undefined,
    missedMax: number('missedMax'),
  };
}

/** Neither the private key nor preshared ones. */
function wireguardDevice({ publicKey, listenPort, firewallMark, peers }: WireguardState): LinkStatus['wireguard'] {
  return {
    privateKey: '',
    publicKey,
    listenPort,
    firewallMark,
    peers: peers.map((peer) => ({
      publicKey: peer.publicKey,
      presharedKey: '',
      endpoint: peer.endpoint,
      persistentKeepaliveInterval: peer.keepaliveSeconds * 1000,
      allowedIPs: peer.allowedIPs,
    })),
  };
}
