/** The version of the rules, as systemd counts them: each is that of the systemd release that brought it. */
export type NamingScheme = number;

/** The rules unless others are asked for. */
export const DEFAULT_NAMING_SCHEME: NamingScheme = 257;

/** Older rules differ in more than is looked after here. */
const OLDEST_NAMING_SCHEME: NamingScheme = 247;

/** The last that brought something. */
const NEWEST_NAMING_SCHEME: NamingScheme = 260;

/** Schemes from which on something counts, and from which on no longer. */
export const SCHEME = {
  /** The numbers of onboard devices have 16 bits, before 14; s390 slots come from the function id. */
  wideIndex: 249,
  xen: 250,
  /** A slot of the bridge above counts for devices with several functions. */
  bridgeSlots: 251,
  bridgeSlotsEnd: 255,
  devicetreeAliases: 252,
  /** USB adapters whose host is no PCI device. */
  usbWithoutPci: 253,
  /** Representors of virtual functions are `r<N>`. */
  representors: 254,
  /** Device tree aliases of the interface itself, not only of its parent. */
  devicetreePorts: 256,
  /** The slot number that the firmware tells (_SUN). */
  firmwareSlot: 257,
  /** Device tree aliases name radio interfaces, too. */
  radioAliases: 259,
  /** Management controllers (MCTP) are interfaces with names. */
  mctp: 260,
} as const;

/**
 * The scheme of a text like `v255`; `latest` is our default. undefined for what is none. What is older than the oldest rules becomes
 * these, and what is newer the newest.
 */
export function parseNamingScheme(text: string): NamingScheme | undefined {
  if (text === 'latest') return DEFAULT_NAMING_SCHEME;
  const number = /^v([0-9]{3})$/.exec(text)?.[1];
  if (number === undefined) return undefined;
  return Math.min(Math.max(Number(number), OLDEST_NAMING_SCHEME), NEWEST_NAMING_SCHEME);
}
