/** Digits of node ids. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const GROUP_BITS = 6n;
/** Groups of six bits whose value has all of these bits would need a 63rd or 64th digit: one bit less is taken. */
const TOO_HIGH = 0b01_1110n;
const LOW_FIVE = 0b01_1111n;
/** Random bytes of an identity. */
export const NODE_ID_BYTES = 32;

/**
 * The id of a node as text: its bytes read from their low end in groups of six bits, of five where six have no digit.
 *
 * @see spec/mesh.md section 2
 */
export function nodeIdText(bytes: Uint8Array): string {
  let value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let left = BigInt(bytes.length * 8);
  let text = '';
  while (left > 0n) {
    const group = value & ((1n << GROUP_BITS) - 1n);
    const isShort = (group & TOO_HIGH) === TOO_HIGH && (left > GROUP_BITS || group > LOW_FIVE);
    const digit = (group & TOO_HIGH) === TOO_HIGH ? group & LOW_FIVE : group;
    const taken = isShort ? GROUP_BITS - 1n : GROUP_BITS;
    text += DIGITS.charAt(Number(digit));
    value >>= taken;
    left -= taken;
  }
  return text;
}

/** Whether a text can be the id of a node. */
export function isNodeId(text: string): boolean {
  return /^[A-Za-z0-9]{43,52}$/.test(text);
}
