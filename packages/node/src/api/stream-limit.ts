import { grpcError } from '@bloomery/grpc';

/** Passes on what a stream gives, as long as there are not too many of its kind at once. */
export type StreamLimit = <T>(stream: AsyncIterable<T>) => AsyncGenerator<T>;

/**
 * A limit for streams that hold something of the host open.
 *
 * @param what Is streamed, for the one who is refused.
 * @returns what throws BLM_GRPC_STATUS RESOURCE_EXHAUSTED when `max` streams are open; it asks nothing of the stream then.
 */
export function createStreamLimit(max: number, what: string): StreamLimit {
  let open = 0;
  return async function* (stream) {
    if (open >= max) throw grpcError('RESOURCE_EXHAUSTED', `too many clients read ${what}`);
    open += 1;
    try {
      yield* stream;
    } finally {
      open -= 1;
    }
  };
}
