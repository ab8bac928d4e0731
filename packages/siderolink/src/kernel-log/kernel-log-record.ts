/** One record of the kernel's log. */
export interface KernelLogRecord {
  /** 0 (emerg) to 7 (debug) */
  readonly priority: number;
  /** 0 is the kernel itself */
  readonly facility: number;
  readonly seq: number;
  /** Microseconds since boot. */
  readonly clockUs: number;
  /** Without escapes, continuation lines included. */
  readonly message: string;
}

/** Longest head (all before the `;`) of a record. */
const HEAD_MAX_BYTES = 1_024;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const HEX = /^[0-9a-fA-F]{2}$/;

/**
 * Parse one record as a read of /dev/kmsg gives it: `prio,seq,clock,flags[,…];message`.
 *
 * @param raw The bytes of one record. Not retained.
 * @returns undefined when it is no record; never throws.
 * @see Documentation/ABI/testing/dev-kmsg of Linux
 */
export function parseKernelLogRecord(raw: Uint8Array): KernelLogRecord | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = bytes.subarray(0, HEAD_MAX_BYTES).indexOf(SEMICOLON);
  if (end === -1) return undefined;
  const fields = bytes.toString('latin1', 0, end).split(',');
  const [prefix, seq, clockUs] = fields.slice(0, 3).map(decimal);
  if (prefix === undefined || seq === undefined || clockUs === undefined) return undefined;
  return {
    priority: prefix % 8,
    facility: Math.floor(prefix / 8),
    seq,
    clockUs,
    message: withoutEscapes(bytes.subarray(end + 1)),
  };
}

function decimal(text: string): number | undefined {
  const value = /^\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `\xHH` is a byte, `\\` a backslash; of another escape only the character behind it is lost with it. */
function withoutEscapes(bytes: Buffer): string {
  if (!bytes.includes(BACKSLASH)) return bytes.toString('utf8');
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte !== BACKSLASH) {
      out[length++] = byte;
      continue;
    }
    i++;
    if (bytes[i] === BACKSLASH) out[length++] = BACKSLASH;
    const code = bytes.toString('latin1', i + 1, i + 3);
    if (bytes[i] === 0x78 && HEX.test(code)) {
      out[length++] = Number.parseInt(code, 16);
      i += 2;
    }
  }
  return out.toString('utf8', 0, length);
}
