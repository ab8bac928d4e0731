import { BloomeryError } from '@bloomery/ports';

/** Version of the SMBIOS specification that a table follows. */
export interface SmbiosVersion {
  readonly major: number;
  readonly minor: number;
  /** 0 for the 32-bit entry point, which has none. */
  readonly revision: number;
}

const ANCHOR_32 = '_SM_';
const ANCHOR_64 = '_SM3_';

/**
 * Read the version from an SMBIOS entry point, as in `/sys/firmware/dmi/tables/smbios_entry_point`.
 * Checksums are not verified: firmwares that get them wrong have right tables.
 *
 * @param bytes the whole entry point, 31 (`_SM_`) or 24 (`_SM3_`) bytes; more is ignored.
 * @throws BloomeryError BLM_WIRE_TRUNCATED when it ends before the version, BLM_WIRE_MALFORMED without an anchor.
 * @see DMTF DSP0134 section 5.2
 */
export function decodeSmbiosEntryPoint(bytes: Uint8Array): SmbiosVersion {
  const anchor = String.fromCharCode(...bytes.subarray(0, ANCHOR_64.length));
  if (anchor === ANCHOR_64) return versionAt(bytes, [7, 8, 9]);
  if (anchor.startsWith(ANCHOR_32)) return versionAt(bytes, [6, 7]);
  throw new BloomeryError('BLM_WIRE_MALFORMED', `reading the SMBIOS entry point: no anchor in ${bytes.length} bytes`);
}

function versionAt(
  bytes: Uint8Array,
  [majorAt, minorAt, revisionAt]: readonly [number, number, number?],
): SmbiosVersion {
  const major = bytes[majorAt];
  const minor = bytes[minorAt];
  const revision = revisionAt === undefined ? 0 : bytes[revisionAt];
  if (major === undefined || minor === undefined || revision === undefined) {
    throw new BloomeryError('BLM_WIRE_TRUNCATED', `reading the SMBIOS entry point: only ${bytes.length} bytes`);
  }
  return { major, minor, revision };
}
