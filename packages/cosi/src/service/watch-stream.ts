import { grpcError } from '@bloomery/grpc';
import type { cosiProto } from '@bloomery/wire';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { State, WatchOptions } from '../state.ts';
import { beginMessage, type EventTerms, eventMessage } from './event-message.ts';
import { filterEvent, resourceFilter } from './resource-filter.ts';

/** Events in one message of an aggregated watch. */
const AGGREGATED_MAX = 128;

type WatchResponse = MessageInitShape<typeof cosiProto.WatchResponseSchema>;

/**
 * The answers to a watch until the caller goes: an empty one when it is armed, then events. Nothing is taken from the history before
 * the connection has room for it: who is too slow is told so and must watch anew.
 */
export async function* watchStream(
  state: State,
  request: cosiProto.WatchRequest,
  terms: EventTerms,
  signal: AbortSignal,
): AsyncGenerator<WatchResponse> {
  const options = request.options;
  const isAggregated = options?.aggregated === true;
  refuseForOne(request);
  const isSeen = await resourceFilter(options?.labelQuery, options?.idQuery);
  using follower = state.follow(terms.definition, followOptions(request, terms));
  const stop = (): void => follower[Symbol.dispose]();
  signal.addEventListener('abort', stop, { once: true });
  yield {};
  const begin = options?.bootstrapBookmark === true ? [beginMessage(follower.begin, terms)] : [];
  if (options?.bootstrapContents !== true && begin.length > 0) yield { event: begin };
  while (!signal.aborted) {
    const taken = follower.take(isAggregated ? AGGREGATED_MAX : 1);
    const events = taken.flatMap((event) => {
      const seen = filterEvent(event, isSeen);
      const message = seen === undefined ? undefined : eventMessage(seen, terms);
      // Where to go on from comes after what was there before.
      return [...(message === undefined ? [] : [message]), ...(event.type === 'bootstrapped' ? begin : [])];
    });
    if (isAggregated && events.length > 0) yield { event: events };
    else for (const event of events) yield { event: [event] };
    if (taken.some(({ type }) => type === 'errored')) return;
    if (taken.length === 0) await follower.ready();
  }
}

function refuseForOne({ id, options }: cosiProto.WatchRequest): void {
  if (id === undefined || options === undefined) return;
  const refused = (what: string): Error => grpcError('UNIMPLEMENTED', `${what} is not implemented for resource watch`);
  if (options.bootstrapContents) throw refused('bootstrap contents');
  if (options.labelQuery.length > 0) throw refused('label query');
}

function followOptions({ id, options }: cosiProto.WatchRequest, { namespace, bookmarks }: EventTerms): WatchOptions {
  const from = options?.startFromBookmark;
  return {
    namespace,
    ...(id === undefined ? {} : { id }),
    bootstrap: options?.bootstrapContents === true,
    tailEvents: Math.max(0, options?.tailEvents ?? 0),
    ...(from === undefined ? {} : { fromBookmark: bookmarks.decode(from) }),
  };
}
