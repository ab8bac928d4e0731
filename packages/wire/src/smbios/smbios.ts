import type { SmbiosVersion } from './entry-point.ts';
import { memoryTypeName } from './memory-type.ts';
import { type SmbiosStructure, smbiosStructures } from './structure.ts';

/** What a board says of itself (type 1). Absent strings are ''. */
export interface SmbiosSystem {
  /** Canonical lower-case UUID; '' when the structure is too old to have one. */
  readonly uuid: string;
  readonly manufacturer: string;
  readonly productName: string;
  readonly version: string;
  readonly serialNumber: string;
  readonly skuNumber: string;
  readonly family: string;
}

/** One populated processor socket (type 4). */
export interface SmbiosProcessor {
  readonly manufacturer: string;
  readonly productName: string;
  readonly serialNumber: string;
  /** Current speed in MHz, 0 when unknown. */
  readonly speedMhz: number;
  readonly coreCount: number;
  readonly threadCount: number;
}

/** One populated memory slot (type 17). */
export interface SmbiosMemoryModule {
  readonly manufacturer: string;
  /** The part number. */
  readonly productName: string;
  readonly serialNumber: string;
  /** DMTF name, for example `DDR4`. */
  readonly type: string;
  /** Size in MiB; a module below 1 MiB counts as 0. */
  readonly sizeMb: number;
  /** Speed in MT/s, 0 when unknown. */
  readonly speedMts: number;
}

/** The parts of an SMBIOS table that describe a machine. */
export interface Smbios {
  readonly system: SmbiosSystem;
  readonly processors: readonly SmbiosProcessor[];
  readonly memoryModules: readonly SmbiosMemoryModule[];
}

const NO_SYSTEM: SmbiosSystem = {
  uuid: '',
  manufacturer: '',
  productName: '',
  version: '',
  serialNumber: '',
  skuNumber: '',
  family: '',
};

const POPULATED = 1 << 6;
const SEE_WORD = 0xff;
const SIZE_UNKNOWN = 0xffff;
const SIZE_SEE_EXTENDED = 0x7fff;
const SIZE_IN_KIB = 0x8000;

/**
 * Decode the system, processors and memory modules of an SMBIOS table.
 * Total: a damaged or hostile table gives what could be read before the damage. Of several systems the last counts.
 *
 * @param table as in `/sys/firmware/dmi/tables/DMI`; structures beyond MAX_STRUCTURES are ignored.
 * @param version from the entry point: decides the byte order of the UUID.
 * @see DMTF DSP0134 sections 7.2, 7.5, 7.18
 */
export function decodeSmbios(table: Uint8Array, version: SmbiosVersion): Smbios {
  let system = NO_SYSTEM;
  const processors: SmbiosProcessor[] = [];
  const memoryModules: SmbiosMemoryModule[] = [];
  for (const structure of smbiosStructures(table)) {
    if (structure.type === 1) system = decodeSystem(structure, version);
    if (structure.type === 4 && ((structure.u8(0x18) ?? 0) & POPULATED) !== 0)
      processors.push(decodeProcessor(structure));
    if (structure.type === 17) {
      const sizeMb = moduleSizeMb(structure);
      if (sizeMb !== undefined) memoryModules.push(decodeMemoryModule(structure, sizeMb));
    }
  }
  return { system, processors, memoryModules };
}

function decodeSystem(s: SmbiosStructure, version: SmbiosVersion): SmbiosSystem {
  const uuid = s.bytes(0x08, 16);
  return {
    uuid: uuid === undefined ? '' : uuidText(uuid, version),
    manufacturer: s.text(0x04),
    productName: s.text(0x05),
    version: s.text(0x06),
    serialNumber: s.text(0x07),
    skuNumber: s.text(0x19),
    family: s.text(0x1a),
  };
}

/** Since SMBIOS 2.6 the first three fields are little-endian. */
function uuidText(bytes: Uint8Array, { major, minor }: SmbiosVersion): string {
  const swapped = major > 2 || (major === 2 && minor >= 6);
  const ordered = swapped
    ? [
        ...bytes.slice(0, 4).reverse(),
        ...bytes.slice(4, 6).reverse(),
        ...bytes.slice(6, 8).reverse(),
        ...bytes.slice(8),
      ]
    : [...bytes];
  const hex = ordered.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function decodeProcessor(s: SmbiosStructure): SmbiosProcessor {
  return {
    manufacturer: s.text(0x07),
    productName: s.text(0x10),
    serialNumber: s.text(0x20),
    speedMhz: s.u16(0x16) ?? 0,
    coreCount: countAt(s, 0x23, 0x2a),
    threadCount: countAt(s, 0x25, 0x2e),
  };
}

/** A count in a byte, or in the word elsewhere when the byte is full. */
function countAt(s: SmbiosStructure, byteOffset: number, wordOffset: number): number {
  const count = s.u8(byteOffset) ?? 0;
  return count === SEE_WORD ? (s.u16(wordOffset) ?? count) : count;
}

function decodeMemoryModule(s: SmbiosStructure, sizeMb: number): SmbiosMemoryModule {
  return {
    manufacturer: s.text(0x17),
    productName: s.text(0x1a),
    serialNumber: s.text(0x18),
    type: memoryTypeName(s.u8(0x12)),
    sizeMb,
    speedMts: s.u16(0x15) ?? 0,
  };
}

/** undefined for an empty slot and for a module of unknown size. */
function moduleSizeMb(s: SmbiosStructure): number | undefined {
  const word = s.u16(0x0c);
  if (word === undefined || word === 0 || word === SIZE_UNKNOWN) return undefined;
  if (word === SIZE_SEE_EXTENDED) return (s.u32(0x1c) ?? 0) & 0x7fffffff;
  return (word & SIZE_IN_KIB) === 0 ? word : Math.floor((word & 0x7fff) / 1024);
}
