/** Texts of the numbers that Talos and the kernel use: the names are those that talosctl prints. */

export const AD_LACP_ACTIVE = { off: 0, on: 1 } as const;

export const AD_SELECT = { stable: 0, bandwidth: 1, count: 2 } as const;

export const ARP_ALL_TARGETS = { any: 0, all: 1 } as const;

export const ARP_VALIDATE = {
  none: 0,
  active: 1,
  backup: 2,
  all: 3,
  filter: 4,
  'filter-active': 5,
  'filter-backup': 6,
} as const;

export const ADDRESS_SORT_ALGORITHM = { v1: 0, v2: 1 } as const;

export const BOND_MODE = {
  'balance-rr': 0,
  'active-backup': 1,
  'balance-xor': 2,
  broadcast: 3,
  '802.3ad': 4,
  'balance-tlb': 5,
  'balance-alb': 6,
} as const;

export const BOND_XMIT_HASH_POLICY = { layer2: 0, 'layer3+4': 1, 'layer2+3': 2, 'encap2+3': 3, 'encap3+4': 4 } as const;

export const CLIENT_IDENTIFIER = { none: 0, mac: 1, duid: 2 } as const;

export const CONFIG_LAYER = { default: 0, cmdline: 1, platform: 2, operator: 3, configuration: 4 } as const;

export const CONNTRACK_STATE = { invalid: 1, established: 2, related: 4, 'new': 8 } as const;

export const DUPLEX = { Half: 0, Full: 1, Unknown: 255 } as const;

export const FAIL_OVER_MAC = { none: 0, active: 1, follow: 2 } as const;

export const FAMILY = { inet4: 2, inet6: 10 } as const;

export const LACP_RATE = { slow: 0, fast: 1 } as const;

export const LINK_TYPE = {
  netrom: 0,
  ether: 1,
  eether: 2,
  ax25: 3,
  pronet: 4,
  chaos: 5,
  ieee802: 6,
  arcnet: 7,
  atalk: 8,
  dlci: 15,
  atm: 19,
  metricom: 23,
  ieee1394: 24,
  eui64: 27,
  infiniband: 32,
  slip: 256,
  cslip: 257,
  slip6: 258,
  cslip6: 259,
  rsrvd: 260,
  adapt: 264,
  rose: 270,
  x25: 271,
  hwx25: 272,
  can: 280,
  ppp: 512,
  cisco: 513,
  lapb: 516,
  ddcmp: 517,
  rawhdlc: 518,
  ipip: 768,
  tunnel6: 769,
  frad: 770,
  skip: 771,
  loopback: 772,
  localtlk: 773,
  fddi: 774,
  bif: 775,
  sit: 776,
  'ip/ddp': 777,
  gre: 778,
  pimreg: 779,
  hippi: 780,
  ash: 781,
  econet: 782,
  irda: 783,
  fcpp: 784,
  fcal: 785,
  fcpl: 786,
  fcfb_0: 787,
  fcfb_1: 788,
  fcfb_2: 789,
  fcfb_3: 790,
  fcfb_4: 791,
  fcfb_5: 792,
  fcfb_6: 793,
  fcfb_7: 794,
  fcfb_8: 795,
  fcfb_9: 796,
  fcfb_10: 797,
  fcfb_11: 798,
  fcfb_12: 799,
  tr: 800,
  'ieee802.11': 801,
  'ieee802.11_prism': 802,
  'ieee802.11_radiotap': 803,
  'ieee802.15.4': 804,
  'ieee802.15.4_monitor': 805,
  phonet: 820,
  phonet_pipe: 821,
  caif: 822,
  ip6gre: 823,
  netlink: 824,
  '6lowpan': 825,
  nohdr: 65534,
  void: 65535,
} as const;

export const MATCH_OPERATOR = { '==': 0, '!=': 1 } as const;

export const NF_TABLES_CHAIN_HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

export const NF_TABLES_CHAIN_PRIORITY = {
  'conntrack-defrag': -400,
  raw: -300,
  'selinux-first': -225,
  conntrack: -200,
  mangle: -150,
  'nat-dest': -100,
  filter: 0,
  security: 50,
  'nat-source': 100,
  'selinux-last': 225,
  'conntrack-helper': 300,
} as const;

export const NF_TABLES_VERDICT = { drop: 0, accept: 1 } as const;

export const OPERATIONAL_STATE = {
  unknown: 0,
  notPresent: 1,
  down: 2,
  lowerLayerDown: 3,
  testing: 4,
  dormant: 5,
  up: 6,
} as const;

export const OPERATOR = { dhcp4: 0, dhcp6: 1, vip: 2 } as const;

export const PORT = {
  TwistedPair: 0,
  AUI: 1,
  MII: 2,
  Fibre: 3,
  BNC: 4,
  DirectAttach: 5,
  None: 239,
  Other: 255,
} as const;

export const PRIMARY_RESELECT = { always: 0, better: 1, failure: 2 } as const;

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

export const ROUTE_PROTOCOL = {
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  mrt: 10,
  zebra: 11,
  bird: 12,
  dnrouted: 13,
  xorp: 14,
  ntk: 15,
  dhcp: 16,
  mrtd: 17,
  keepalived: 18,
  babel: 42,
  openr: 99,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
} as const;

export const ROUTE_TYPE = {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
  xresolve: 11,
} as const;

export const ROUTING_RULE_ACTION = { unspec: 0, unicast: 1, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

export const ROUTING_TABLE = { unspec: 0, default: 253, main: 254, local: 255 } as const;

export const SCOPE = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;

export const VLAN_PROTOCOL = { '802.1q': 33024, '802.1ad': 34984 } as const;

export const WOL_MODE = {
  phy: 1,
  unicast: 2,
  multicast: 4,
  broadcast: 8,
  magic: 32,
  magicsecure: 64,
  filter: 128,
} as const;

export const MACHINE_TYPE = { unknown: 0, init: 1, controlplane: 2, worker: 3 } as const;

export const PEER_STATE = { unknown: 0, up: 1, down: 2 } as const;

export const LINK_FLAGS = {
  UP: 0x1,
  BROADCAST: 0x2,
  DEBUG: 0x4,
  LOOPBACK: 0x8,
  POINTTOPOINT: 0x10,
  NOTRAILERS: 0x20,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MASTER: 0x400,
  SLAVE: 0x800,
  MULTICAST: 0x1000,
  PORTSEL: 0x2000,
  AUTOMEDIA: 0x4000,
  DYNAMIC: 0x8000,
  LOWER_UP: 0x10000,
  DORMANT: 0x20000,
  ECHO: 0x40000,
} as const;

export const ADDRESS_FLAGS = {
  temporary: 0x1,
  nodad: 0x2,
  optimistic: 0x4,
  dadfailed: 0x8,
  homeaddress: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  mngmtmpaddr: 0x100,
  noprefixroute: 0x200,
  mcautojoin: 0x400,
  stableprivacy: 0x800,
} as const;

export const ROUTE_FLAGS = {
  notify: 0x100,
  cloned: 0x200,
  equalize: 0x400,
  prefix: 0x800,
  lookup_table: 0x1000,
  fib_match: 0x2000,
  offload: 0x4000,
  trap: 0x8000,
} as const;
