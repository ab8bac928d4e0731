import type { Readable } from 'node:stream';

/** Longest answer of a proxy. */
const ANSWER_MAX_BYTES = 16_384;

/**
 * Take the next bytes off a paused stream; what comes after them stays in it.
 *
 * @param length How many of the bytes so far belong to the answer; undefined while it is not complete.
 * @throws Error when the stream ends or fails before, or the answer is longer than 16 KiB.
 */
export function takeBytes(stream: Readable, length: (buffered: Buffer) => number | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      stream.off('readable', look).off('end', ended).off('close', ended).off('error', failed);
      end();
    };
    const failed = (error: Error): void => finish(() => reject(error));
    const ended = (): void => failed(new Error('it closed the connection'));
    let buffered = Buffer.alloc(0);
    const look = (): void => {
      const chunk: unknown = stream.read();
      if (!Buffer.isBuffer(chunk)) return;
      buffered = Buffer.concat([buffered, chunk]);
      const size = length(buffered);
      if (size === undefined && buffered.length > ANSWER_MAX_BYTES) failed(new Error('its answer is too long'));
      if (size === undefined) return;
      finish(() => {
        if (size < buffered.length) stream.unshift(buffered.subarray(size));
        resolve(buffered.subarray(0, size));
      });
    };
    stream.on('readable', look).on('end', ended).on('close', ended).on('error', failed);
    look();
  });
}
