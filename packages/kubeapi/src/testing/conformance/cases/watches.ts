import type { Json, JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';
import type { WatchEvent } from '../watch-reader.ts';

const brief = {
  look: ({ type, object }: WatchEvent): Json =>
    object['kind'] === 'Status'
      ? { type, object }
      : {
          type,
          name: at(object, 'metadata', 'name'),
          labels: at(object, 'metadata', 'labels'),
          size: at(object, 'spec', 'size'),
          data: object['data'] ?? null,
        },
};
const things = (s: Session): string => s.api(THING, 'things');
const MERGE = { type: 'application/merge-patch+json' };
const versionOf = (object: JsonObject): string => String(at(object, 'metadata', 'resourceVersion'));
const bookmark = (event: WatchEvent): Json => {
  if (event.type !== 'BOOKMARK') return brief.look(event);
  const { kind, apiVersion, metadata, ...rest } = event.object;
  const { resourceVersion, ...meta } = metadata as JsonObject;
  return {
    type: event.type,
    kind: kind ?? null,
    apiVersion: apiVersion ?? null,
    hasVersion: resourceVersion !== undefined,
    meta,
    rest,
  } as Json;
};

/** Watches. */
export const watches = area('watches', {
  'a watch shows what is there, then every change': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const watch = await s.watch(`${things(s)}?watch=1`);
    await watch.take(1);
    await s.must('POST', things(s), thing('b'));
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 2 } }, MERGE);
    await s.must('DELETE', `${things(s)}/b`);
    await watch.take(3);
  },
  'a watch of a built-in kind': async (s) => {
    const watch = await s.watch(`${s.core('configmaps')}?watch=true&labelSelector=mine`);
    await s.must('POST', s.core('configmaps'), configMap('a', { k: 'v' }, { labels: { mine: '1' } }));
    await s.must('PATCH', s.core('configmaps/a'), { data: { k: 'w' } }, MERGE);
    await s.must('DELETE', s.core('configmaps/a'));
    await watch.take(3);
  },
  'a watch goes on from a version, with every event between': async (s) => {
    const first = await s.must('POST', things(s), thing('a'));
    for (const size of [2, 3, 4]) await s.must('PATCH', `${things(s)}/a`, { spec: { size } }, MERGE);
    await s.must('DELETE', `${things(s)}/a`);
    await s.must('POST', things(s), thing('a', { size: 9 }));
    const watch = await s.watch(`${things(s)}?watch=1&resourceVersion=${versionOf(first)}`, brief);
    await watch.take(5);
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 10 } }, MERGE);
    await watch.take(1);
  },
  'objects enter and leave a selector': async (s) => {
    const list = await s.must('GET', things(s));
    const watch = await s.watch(
      `${things(s)}?watch=1&resourceVersion=${versionOf(list)}&labelSelector=on%3Dyes`,
      brief,
    );
    await s.must('POST', things(s), thing('a', { size: 1 }, { labels: { on: 'no' } }));
    await s.must('PATCH', `${things(s)}/a`, { metadata: { labels: { on: 'yes' } } }, MERGE);
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 2 } }, MERGE);
    await s.must('PATCH', `${things(s)}/a`, { metadata: { labels: { on: 'no' } }, spec: { size: 3 } }, MERGE);
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 4 } }, MERGE);
    await s.must('DELETE', `${things(s)}/a`);
    await s.must('POST', things(s), thing('b', { size: 1 }, { labels: { on: 'yes' } }));
    await s.must('DELETE', `${things(s)}/b`);
    await watch.take(5);
  },
  'a DELETED event has the version of the deletion': async (s) => {
    const made = await s.must('POST', things(s), thing('a'));
    await s.must('DELETE', `${things(s)}/a`);
    const watch = await s.watch(`${things(s)}?watch=1&resourceVersion=${versionOf(made)}`);
    const [event] = await watch.take(1);
    s.note('newer', BigInt(versionOf(event?.object ?? {})) > BigInt(versionOf(made)));
  },
  'a watch of one name': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const watch = await s.watch(`${things(s)}?watch=1&fieldSelector=metadata.name%3Da`, brief);
    await s.must('POST', things(s), thing('b'));
    await s.must('PATCH', `${things(s)}/b`, { spec: { size: 2 } }, MERGE);
    await s.must('DELETE', `${things(s)}/a`);
    await watch.take(2);
    const single = await s.watch(`${things(s)}/b?watch=1`, brief);
    await single.take(1).catch(() => []);
  },
  'a watch ends in order after its time': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const watch = await s.watch(`${things(s)}?watch=1&timeoutSeconds=1`, brief);
    await watch.takeAll();
    const empty = await s.watch(`${s.core('secrets')}?watch=1&timeoutSeconds=1`, brief);
    await empty.takeAll();
  },
  'bookmarks come before the end to those who ask': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const look = { look: bookmark };
    const watch = await s.watch(`${things(s)}?watch=1&timeoutSeconds=4&allowWatchBookmarks=true`, look);
    await watch.take(2);
    const rest = await watch.nextAll();
    s.note(
      'only bookmarks follow',
      rest.every((event) => event.type === 'BOOKMARK'),
    );
  },
  'WatchList sends all, then a bookmark': async (s) => {
    await s.must('POST', things(s), thing('a'));
    await s.must('POST', things(s), thing('b'));
    const path = `${things(s)}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
    const watch = await s.watch(path, { look: bookmark });
    await watch.take(3);
    await s.must('POST', things(s), thing('c'));
    await watch.take(1);
    const empty = await s.watch(`${s.core('configmaps')}?labelSelector=none&${path.split('?')[1]}`, { look: bookmark });
    await empty.take(1);
  },
  'sendInitialEvents=false starts now': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const watch = await s.watch(
      `${things(s)}?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
      brief,
    );
    await s.must('POST', things(s), thing('b'));
    await watch.take(1);
  },
  'a watch from version 0 shows what is there': async (s) => {
    await s.must('POST', things(s), thing('a'));
    await s.eventually('a is seen', `${things(s)}?resourceVersion=0`, (a) => (a.body['items'] as Json[]).length === 1);
    const watch = await s.watch(`${things(s)}?watch=1&resourceVersion=0`, brief);
    await watch.take(1);
  },
  'a watch of Tables': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const look = ({ type, object }: WatchEvent): Json => ({
      type,
      kind: object['kind'] ?? null,
      columns: (object['columnDefinitions'] as JsonObject[] | null)?.map((c) => c['name'] ?? null) ?? null,
      rows: object['rows'] ?? null,
    });
    const watch = await s.watch(`${things(s)}?watch=1`, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
      look,
    });
    await watch.take(1);
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 2 } }, MERGE);
    await s.must('DELETE', `${things(s)}/a`);
    await watch.take(2);
  },
  'a watch of metadata only': async (s) => {
    await s.must('POST', things(s), thing('a', { size: 1 }, { labels: { l: '1' } }));
    const watch = await s.watch(`${things(s)}?watch=1`, {
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    });
    await watch.take(1);
  },
  'a watch of another version converts': async (s) => {
    await s.must('POST', things(s), thing('a'));
    const watch = await s.watch(`${s.api('vec.bloomery.test/v1beta1', 'things')}?watch=1`, {
      look: ({ type, object }) => ({ type, apiVersion: object['apiVersion'] ?? null, spec: object['spec'] ?? null }),
    });
    await watch.take(1);
  },
  'removal of the last finalizer is one DELETED event': async (s) => {
    const made = await s.must('POST', things(s), thing('a', { size: 1 }, { finalizers: ['a.b/c'] }));
    await s.must('DELETE', `${things(s)}/a`);
    await s.must('PATCH', `${things(s)}/a`, { metadata: { finalizers: [] } }, MERGE);
    await s.must('POST', things(s), thing('after'));
    const look = ({ type, object }: WatchEvent): Json => ({
      type,
      name: at(object, 'metadata', 'name'),
      finalizers: at(object, 'metadata', 'finalizers'),
      dying: at(object, 'metadata', 'deletionTimestamp') !== null,
    });
    const watch = await s.watch(`${things(s)}?watch=1&resourceVersion=${versionOf(made)}`, { look });
    await watch.take(3);
  },
  'writes that change nothing are no events': async (s) => {
    const made = await s.must('POST', things(s), thing('a'));
    await s.must('PUT', `${things(s)}/a`, made);
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 1 } }, MERGE);
    await s.must('PATCH', `${things(s)}/a?dryRun=All`, { spec: { size: 5 } }, MERGE);
    await s.must('PATCH', `${things(s)}/a`, { spec: { size: 2 } }, MERGE);
    const watch = await s.watch(`${things(s)}?watch=1&resourceVersion=${versionOf(made)}`, brief);
    await watch.take(1);
  },
  'an absent namespace and kind can be watched or not': async (s) => {
    const watch = await s.watch('/api/v1/namespaces/no-such-ns/configmaps?watch=1&timeoutSeconds=1', brief);
    await watch.takeAll();
    await s.get(`/apis/${THING}/namespaces/${s.ns}/others?watch=1`);
  },
});
