import {
  bool,
  defineResource,
  duration,
  enumeration,
  flags,
  int,
  ip,
  list,
  mac,
  message,
  optional,
  prefix,
  type SpecOf,
  text,
  uint,
} from '@bloomery/cosi';
import {
  AD_LACP_ACTIVE,
  AD_SELECT,
  ARP_ALL_TARGETS,
  ARP_VALIDATE,
  BOND_MODE,
  BOND_XMIT_HASH_POLICY,
  CONFIG_LAYER,
  DUPLEX,
  FAIL_OVER_MAC,
  LACP_RATE,
  LINK_FLAGS,
  LINK_TYPE,
  OPERATIONAL_STATE,
  PORT,
  PRIMARY_RESELECT,
  ROUTING_TABLE,
  VLAN_PROTOCOL,
} from './enumerations.ts';

const bondSlaveFields = {
  masterName: text(1, { omitEmpty: true }),
  slaveIndex: int(2, { omitEmpty: true }),
} as const;

const bridgeSlaveFields = {
  masterName: text(1, { omitEmpty: true }),
} as const;

const vrfSlave = {
  masterName: text(1, { omitEmpty: true }),
} as const;

const vlanFields = {
  vlanID: uint(1),
  vlanProtocol: enumeration(2, VLAN_PROTOCOL),
} as const;

const bondMasterFields = {
  mode: enumeration(1, BOND_MODE),
  xmitHashPolicy: enumeration(2, BOND_XMIT_HASH_POLICY),
  lacpRate: enumeration(3, LACP_RATE),
  arpValidate: enumeration(4, ARP_VALIDATE),
  arpAllTargets: enumeration(5, ARP_ALL_TARGETS),
  primary: optional(uint(6)),
  primaryReselect: enumeration(7, PRIMARY_RESELECT),
  failOverMac: enumeration(8, FAIL_OVER_MAC),
  adSelect: enumeration(9, AD_SELECT, { omitEmpty: true }),
  miimon: uint(10, { omitEmpty: true }),
  updelay: uint(11, { omitEmpty: true }),
  downdelay: uint(12, { omitEmpty: true }),
  arpInterval: uint(13, { omitEmpty: true }),
  resendIgmp: uint(14, { omitEmpty: true }),
  minLinks: uint(15, { omitEmpty: true }),
  lpInterval: uint(16, { omitEmpty: true }),
  packetsPerSlave: uint(17, { omitEmpty: true }),
  numPeerNotif: uint(18, { omitEmpty: true }),
  tlbLogicalLb: uint(19, { omitEmpty: true }),
  allSlavesActive: uint(20, { omitEmpty: true }),
  useCarrier: bool(21, { omitEmpty: true }),
  adActorSysPrio: uint(22, { omitEmpty: true }),
  adUserPortKey: uint(23, { omitEmpty: true }),
  peerNotifyDelay: uint(24, { omitEmpty: true }),
  arpIpTargets: list(25, ip(1), { omitEmpty: true }),
  nsIp6Targets: list(26, ip(1), { omitEmpty: true }),
  adLacpActive: optional(enumeration(27, AD_LACP_ACTIVE)),
  missedMax: uint(28, { omitEmpty: true }),
} as const;

const stp = {
  enabled: bool(1),
} as const;

const bridgeVlan = {
  filteringEnabled: bool(1),
} as const;

const bridgeMasterFields = {
  stp: message(1, stp, { omitEmpty: true }),
  vlan: message(2, bridgeVlan, { omitEmpty: true }),
} as const;

const vrfMaster = {
  table: enumeration(1, ROUTING_TABLE),
} as const;

const vethFields = {
  peerName: text(1),
} as const;

const wireguardPeer = {
  publicKey: text(1),
  presharedKey: text(2),
  endpoint: text(3),
  persistentKeepaliveInterval: duration(4),
  allowedIPs: list(5, prefix(1)),
} as const;

const wireguardDevice = {
  privateKey: text(1, { omitEmpty: true }),
  publicKey: text(2, { omitEmpty: true }),
  listenPort: int(3),
  firewallMark: int(4),
  peers: list(5, message(1, wireguardPeer)),
} as const;

export const LinkSpec = defineResource({
  type: 'LinkSpecs.net.talos.dev',
  namespace: 'network',
  sensitive: true,
  spec: {
    name: text(1),
    logical: bool(2),
    up: bool(3),
    mtu: uint(4),
    kind: text(5),
    type: enumeration(6, LINK_TYPE),
    hardwareAddr: mac(15, { omitEmpty: true }),
    parentName: text(7, { omitEmpty: true }),
    bondSlave: message(8, bondSlaveFields, { omitEmpty: true, inline: true }),
    bridgeSlave: message(9, bridgeSlaveFields, { omitEmpty: true }),
    vrfSlave: message(18, vrfSlave, { omitEmpty: true }),
    vlan: message(10, vlanFields, { omitEmpty: true }),
    bondMaster: message(11, bondMasterFields, { omitEmpty: true }),
    bridgeMaster: message(12, bridgeMasterFields, { omitEmpty: true }),
    vrfMaster: message(17, vrfMaster, { omitEmpty: true }),
    wireguard: message(13, wireguardDevice, { omitEmpty: true }),
    veth: message(19, vethFields, { omitEmpty: true }),
    layer: enumeration(14, CONFIG_LAYER),
    multicast: optional(bool(16)),
  },
});
export type LinkSpec = SpecOf<typeof LinkSpec>;

export const LinkStatus = defineResource({
  type: 'LinkStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['link', 'links'],
  columns: [
    ['Alias', '{.alias}'],
    ['Type', '{.type}'],
    ['Kind', '{.kind}'],
    ['Hw Addr', '{.hardwareAddr}'],
    ['Oper State', '{.operationalState}'],
    ['Link State', '{.linkState}'],
  ],
  spec: {
    alias: text(31, { omitEmpty: true }),
    altNames: list(32, text(1), { omitEmpty: true }),
    index: uint(1),
    type: enumeration(2, LINK_TYPE),
    linkIndex: uint(3),
    flags: flags(4, LINK_FLAGS),
    hardwareAddr: mac(5),
    permanentAddr: mac(30),
    broadcastAddr: mac(6),
    mtu: uint(7),
    queueDisc: text(8),
    masterIndex: uint(9, { omitEmpty: true }),
    operationalState: enumeration(10, OPERATIONAL_STATE),
    kind: text(11),
    slaveKind: text(12),
    busPath: text(13, { omitEmpty: true }),
    pciID: text(14, { omitEmpty: true }),
    driver: text(15, { omitEmpty: true }),
    driverVersion: text(16, { omitEmpty: true }),
    firmwareVersion: text(17, { omitEmpty: true }),
    productID: text(18, { omitEmpty: true }),
    vendorID: text(19, { omitEmpty: true }),
    product: text(20, { omitEmpty: true }),
    vendor: text(21, { omitEmpty: true }),
    linkState: bool(22),
    speedMbit: int(23, { omitEmpty: true }),
    port: enumeration(24, PORT),
    duplex: enumeration(25, DUPLEX),
    vlan: message(26, vlanFields, { omitEmpty: true }),
    bridgeMaster: message(27, bridgeMasterFields, { omitEmpty: true }),
    bondMaster: message(28, bondMasterFields, { omitEmpty: true }),
    vrfMaster: message(33, vrfMaster, { omitEmpty: true }),
    wireguard: message(29, wireguardDevice, { omitEmpty: true }),
    veth: message(34, vethFields, { omitEmpty: true }),
  },
});
export type LinkStatus = SpecOf<typeof LinkStatus>;

export const LinkAliasSpec = defineResource({
  type: 'LinkAliasSpecs.net.talos.dev',
  namespace: 'network',
  columns: [['Alias', '{.alias}']],
  spec: {
    alias: text(1),
  },
});
export type LinkAliasSpec = SpecOf<typeof LinkAliasSpec>;

export const LinkRefresh = defineResource({
  type: 'LinkRefreshes.net.talos.dev',
  namespace: 'network',
  spec: {
    generation: int(1),
  },
});
export type LinkRefresh = SpecOf<typeof LinkRefresh>;

export const HardwareAddress = defineResource({
  type: 'HardwareAddresses.net.talos.dev',
  namespace: 'network',
  spec: {
    name: text(1),
    hardwareAddr: mac(2),
  },
});
export type HardwareAddress = SpecOf<typeof HardwareAddress>;
