import type { Readable } from 'node:stream';

/** Of questions and answers, and where they are sent (RFC 8484). */
export const MEDIA_TYPE = 'application/dns-message';
export const HTTPS_PATH = '/dns-query';
const MESSAGE_MAX_BYTES = 65_535;

/** The answer in a response. @throws an Error when its status is not 200, or it has more bytes than a message. */
export async function readHttpsMessage(body: Readable, status: number | undefined): Promise<Uint8Array> {
  if (status !== 200) {
    body.resume();
    throw new Error(`HTTP status ${status ?? 'unknown'}`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.byteLength;
    if (length > MESSAGE_MAX_BYTES) throw new Error(`response of more than ${MESSAGE_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
