/** Longest message text put into a trailer, in characters. */
const MESSAGE_MAX = 2_000;

/** Percent-encode a status message for the `grpc-message` trailer; cut to 2000 characters. */
export function encodeGrpcMessage(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text.slice(0, MESSAGE_MAX).toWellFormed(), 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Undo encodeGrpcMessage; text that is not validly encoded is returned as it is. */
export function decodeGrpcMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
