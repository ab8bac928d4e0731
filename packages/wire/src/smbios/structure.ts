/** One SMBIOS structure: its formatted area and its strings. */
export interface SmbiosStructure {
  readonly type: number;
  readonly handle: number;
  /** Unsigned byte at `offset` of the formatted area (header included); undefined when the structure is shorter. */
  u8(offset: number): number | undefined;
  /** Little-endian word; undefined when the structure is shorter. */
  u16(offset: number): number | undefined;
  /** Little-endian double word; undefined when the structure is shorter. */
  u32(offset: number): number | undefined;
  /** `length` raw bytes; undefined when the structure is shorter. */
  bytes(offset: number, length: number): Uint8Array | undefined;
  /** The cleaned string that the byte at `offset` numbers; '' when there is none. */
  text(offset: number): string;
}

/** More structures than any board has; what follows is ignored. */
export const MAX_STRUCTURES = 4096;
/** More strings than one structure can number in a byte. */
const MAX_STRINGS = 255;

const HEADER_BYTES = 4;
const END_OF_TABLE = 127;
const FILLER = 'to be filled by o.e.m.';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Walk the structures of an SMBIOS table up to its end mark, its end, or the first structure that is impossible
 * (shorter than its own header, or longer than the table). Never throws and never loops.
 *
 * @param table as in `/sys/firmware/dmi/tables/DMI`. Retained by the structures.
 * @see DMTF DSP0134 section 6.1
 */
export function* smbiosStructures(table: Uint8Array): Generator<SmbiosStructure> {
  let at = 0;
  for (let count = 0; count < MAX_STRUCTURES; count++) {
    const length = table[at + 1];
    if (length === undefined || length < HEADER_BYTES || at + length > table.length) return;
    const area = table.subarray(at, at + length);
    const { strings, end } = readStrings(table, at + length);
    const structure = structureOf(area, strings);
    yield structure;
    if (structure.type === END_OF_TABLE) return;
    at = end;
  }
}

function structureOf(area: Uint8Array, strings: readonly Uint8Array[]): SmbiosStructure {
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const has = (offset: number, length: number): boolean => offset + length <= area.length;
  const u8 = (offset: number): number | undefined => area[offset];
  return {
    type: view.getUint8(0),
    handle: view.getUint16(2, true),
    u8,
    u16: (offset) => (has(offset, 2) ? view.getUint16(offset, true) : undefined),
    u32: (offset) => (has(offset, 4) ? view.getUint32(offset, true) : undefined),
    bytes: (offset, length) => (has(offset, length) ? area.subarray(offset, offset + length) : undefined),
    text: (offset) => {
      const number = u8(offset);
      return number === undefined || number === 0 ? '' : cleanText(strings[number - 1]);
    },
  };
}

/** The strings behind a formatted area, and where the next structure begins. */
function readStrings(table: Uint8Array, start: number): { readonly strings: Uint8Array[]; readonly end: number } {
  const strings: Uint8Array[] = [];
  if (table[start] === 0 && table[start + 1] === 0) return { strings, end: start + 2 };
  let at = start;
  while (at < table.length && table[at] !== 0) {
    const terminator = table.indexOf(0, at);
    const stop = terminator === -1 ? table.length : terminator;
    if (strings.length < MAX_STRINGS) strings.push(table.subarray(at, stop));
    at = stop + 1;
  }
  return { strings, end: at + 1 };
}

/** Trimmed; '' for bytes that are not UTF-8 and for the filler that board makers forget to replace. */
function cleanText(raw: Uint8Array | undefined): string {
  if (raw === undefined) return '';
  try {
    const text = utf8.decode(raw).trim();
    return text.toLowerCase() === FILLER ? '' : text;
  } catch (error) {
    if (error instanceof TypeError) return '';
    throw error;
  }
}
