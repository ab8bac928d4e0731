import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { isJsonObject, parseJson } from '@bloomery/model';
import { encodeProtobuf } from '../testing/encode-protobuf.ts';
import { type JsonCaller, jsonCaller, part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const CORE = '/api/v1/namespaces/default/events';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const STRATEGIC = 'application/strategic-merge-patch+json';

/** An Event as the recorder of client-go's tools/events makes it. */
const fresh = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'pod.1', namespace: 'default' },
  eventTime: '2026-01-01T00:00:00.123456Z',
  reportingController: 'test.dev/controller',
  reportingInstance: 'controller-1',
  action: 'Start',
  reason: 'Started',
  regarding: { kind: 'Pod', namespace: 'default', name: 'pod', apiVersion: 'v1' },
  note: 'Started the pod',
  type: 'Normal',
};

describe('Events', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
  });
  after(() => api[Symbol.asyncDispose]());
  const send = async (path: string, message: string, object: JsonObject): Promise<JsonObject> => {
    const answer = await api.open({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/json' },
      body: async () => encodeProtobuf(message, object),
    });
    assert.equal(answer.status, 201, String(answer.body));
    const body = parseJson(String(answer.body));
    assert.ok(isJsonObject(body));
    return body;
  };

  it('made through events.k8s.io show core fields in core, and the other way round', async () => {
    const { code, body } = await call('POST', EVENTS, fresh);
    assert.equal(code, 201, JSON.stringify(body));
    assert.equal(body['apiVersion'], 'events.k8s.io/v1');
    assert.deepEqual(body['regarding'], fresh.regarding);
    const core = (await call('GET', `${CORE}/pod.1`)).body;
    assert.deepEqual(
      [core['apiVersion'], core['message'], core['involvedObject'], core['reportingComponent'], core['source']],
      ['v1', fresh.note, fresh.regarding, fresh.reportingController, {}],
    );
    await call('POST', CORE, {
      metadata: { name: 'old' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'pod' },
      reason: 'Old',
      message: 'old style',
      source: { component: 'kubelet', host: 'n' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:01:00Z',
      count: 3,
      type: 'Warning',
    });
    const shown = (await call('GET', `${EVENTS}/old`)).body;
    assert.deepEqual(
      [shown['note'], shown['deprecatedCount'], shown['deprecatedSource'], shown['deprecatedLastTimestamp']],
      ['old style', 3, { component: 'kubelet', host: 'n' }, '2026-01-01T00:01:00Z'],
    );
    assert.equal(part(shown, 'metadata', 'uid'), part((await call('GET', `${CORE}/old`)).body, 'metadata', 'uid'));
  });

  it('are counted up by a patch, as the recorders of both groups do', async () => {
    await call('POST', EVENTS, { ...fresh, metadata: { name: 'series' } });
    const series = { count: 2, lastObservedTime: '2026-01-01T00:00:09.000001Z' };
    const patched = await call('PATCH', `${EVENTS}/series`, { series }, STRATEGIC);
    assert.equal(patched.code, 200, JSON.stringify(patched.body));
    assert.deepEqual((await call('GET', `${CORE}/series`)).body['series'], series);
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'pod' };
    await call('POST', CORE, { metadata: { name: 'counted' }, involvedObject, count: 1, message: 'once' });
    const change = { count: 2, message: 'again', lastTimestamp: '2026-01-01T00:02:00Z' };
    const counted = await call('PATCH', `${CORE}/counted`, change, STRATEGIC);
    assert.deepEqual([counted.code, counted.body['count'], counted.body['message']], [200, 2, 'again']);
  });

  it('come as protobuf through both groups', async () => {
    const modern = await send(EVENTS, 'events.Event', { ...fresh, metadata: { name: 'pb-1' } });
    assert.equal(modern['note'], fresh.note);
    const old = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'pb-2' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'pod' },
      message: 'm',
      source: { component: 'c' },
      count: 1,
    };
    assert.equal((await send(CORE, 'core.Event', old))['message'], 'm');
  });

  const refusals: [what: string, change: JsonObject, messages: readonly string[]][] = [
    ['no time', { eventTime: null }, ['eventTime: Required value']],
    ['an unknown type', { type: 'Odd' }, ['type: Invalid value: "": has invalid value: Odd']],
    [
      'too long names',
      { reportingInstance: 'x'.repeat(129), reason: 'x'.repeat(129), note: 'x'.repeat(1025) },
      [
        'reportingInstance: Invalid value: "": can have at most 128 characters',
        'reason: Invalid value: "": can have at most 128 characters',
        'message: Invalid value: "": can have at most 1024 characters',
      ],
    ],
    [
      'fields of old',
      { deprecatedCount: 1, deprecatedSource: { component: 'a' } },
      ['count: Invalid value: "": needs to be unset', 'source: Invalid value: "": needs to be unset'],
    ],
    [
      'a series of one',
      { series: { count: 1 } },
      ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
    ],
  ];
  for (const [what, change, messages] of refusals) {
    it(`through events.k8s.io are refused with ${what}`, async () => {
      const { code, body } = await call('POST', EVENTS, { ...fresh, metadata: { name: 'bad' }, ...change });
      const text = messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`;
      assert.deepEqual([code, body['message']], [422, `Event "bad" is invalid: ${text}`]);
    });
  }

  it('through core are refused in another namespace than their object', async () => {
    const involvedObject = { kind: 'Pod', namespace: 'elsewhere', name: 'p' };
    const { code, body } = await call('POST', CORE, { metadata: { name: 'far' }, involvedObject });
    assert.equal(code, 422);
    assert.equal(
      body['message'],
      'Event "far" is invalid: involvedObject.namespace: Invalid value: "elsewhere": does not match event.namespace',
    );
  });

  it('through events.k8s.io change only in their series', async () => {
    await call('POST', EVENTS, { ...fresh, metadata: { name: 'fixed' } });
    const { code, body } = await call('PATCH', `${EVENTS}/fixed`, { reason: 'Other' }, STRATEGIC);
    assert.equal(code, 422);
    assert.equal(body['message'], 'Event "fixed" is invalid: reason: Invalid value: "Other": field is immutable');
  });

  it('are selected by the fields of their group', async () => {
    const named = async (path: string, selector: string): Promise<unknown> => {
      const { body } = await call('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`);
      return Array.isArray(body['items'])
        ? body['items'].map((item) => part(item, 'metadata', 'name'))
        : body['message'];
    };
    const involvedObject = { kind: 'Thing', namespace: 'default', name: 'picked' };
    await call('POST', CORE, { metadata: { name: 'pick' }, involvedObject, source: { component: 'picker' } });
    assert.deepEqual(await named(EVENTS, 'regarding.name=picked'), ['pick']);
    assert.deepEqual(await named(CORE, 'involvedObject.name=picked,source=picker'), ['pick']);
    assert.equal(await named(EVENTS, 'involvedObject.name=picked'), 'field label not supported: involvedObject.name');
    assert.equal(await named(CORE, 'regarding.name=picked'), 'field label not supported: regarding.name');
  });

  it('are watched through either group', async () => {
    const stop = new AbortController();
    const { revision } = api.engine.store;
    const path = `${EVENTS}?watch=1&resourceVersion=${revision}&fieldSelector=regarding.name%3Dseen`;
    const answer = await api.open({ path, signal: stop.signal });
    assert.ok(typeof answer.body === 'object' && Symbol.asyncIterator in answer.body);
    const involvedObject = { kind: 'Thing', namespace: 'default', name: 'seen' };
    await call('POST', CORE, { metadata: { name: 'watched' }, involvedObject, message: 'hello' });
    for await (const line of answer.body) {
      const event = parseJson(String(line));
      assert.deepEqual(
        [part(event, 'type'), part(event, 'object', 'apiVersion'), part(event, 'object', 'note')],
        ['ADDED', 'events.k8s.io/v1', 'hello'],
      );
      break;
    }
    stop.abort();
  });

  it('are not found under the name of the group that was asked', async () => {
    const { body } = await call('GET', `${EVENTS}/absent`);
    assert.equal(body['message'], 'events.events.k8s.io "absent" not found');
    assert.deepEqual(body['details'], { name: 'absent', group: 'events.k8s.io', kind: 'events' });
  });
});
