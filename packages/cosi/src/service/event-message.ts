import { cosiProto } from '@bloomery/wire';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { ResourceDefinition } from '../resource-definition.ts';
import type { StateEvent } from '../state.ts';
import type { BookmarkCodec } from './bookmark-codec.ts';
import { resourceMessage, tombstone } from './resource-message.ts';

const { EventType } = cosiProto;

/** What events of a watch are told in. */
export interface EventTerms {
  readonly definition: ResourceDefinition;
  readonly namespace: string;
  readonly bookmarks: BookmarkCodec;
  /** 0: the client knows neither `bootstrapped` nor `errored`. */
  readonly apiVersion: number;
}

/** An event as clients receive it; undefined for one that the client does not know. */
export function eventMessage(event: StateEvent, terms: EventTerms): cosiProto.Event | undefined {
  const { definition, namespace, bookmarks, apiVersion } = terms;
  const make = (init: MessageInitShape<typeof cosiProto.EventSchema>): cosiProto.Event =>
    create(cosiProto.EventSchema, init);
  switch (event.type) {
    case 'absent':
      return make({ eventType: EventType.DESTROYED, resource: tombstone(definition, namespace, event.id) });
    case 'bootstrapped': {
      const bookmark = bookmarks.encode(event.bookmark);
      const resource = tombstone(definition, namespace, '');
      return apiVersion < 1 ? undefined : make({ eventType: EventType.BOOTSTRAPPED, resource, bookmark });
    }
    case 'errored':
      return apiVersion < 1 ? undefined : make({ eventType: EventType.ERRORED, error: event.message });
    default: {
      const { resource, bookmark } = event;
      return make({
        eventType: CHANGES[event.type],
        resource: resourceMessage(definition, resource),
        ...(event.type === 'updated' ? { old: resourceMessage(definition, event.old) } : {}),
        ...(bookmark === undefined ? {} : { bookmark: bookmarks.encode(bookmark) }),
      });
    }
  }
}

/** Where a watch begins, for clients that want to go on from there. */
export function beginMessage(begin: bigint, { definition, namespace, bookmarks }: EventTerms): cosiProto.Event {
  return create(cosiProto.EventSchema, {
    eventType: EventType.NOOP,
    resource: tombstone(definition, namespace, ''),
    bookmark: bookmarks.encode(begin),
  });
}

const CHANGES = {
  created: EventType.CREATED,
  updated: EventType.UPDATED,
  destroyed: EventType.DESTROYED,
} as const;
