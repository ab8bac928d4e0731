import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGrpcClient, type GrpcClient, grpcError, type ServiceClient } from '@bloomery/grpc';
import { createFakeClock, isBloomeryError, systemClock, until } from '@bloomery/ports';
import { cosiProto } from '@bloomery/wire';
import type { MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { createState } from '../memory/create-state.ts';
import { ResourceDefinitionResource } from '../meta/resource-definition-resource.ts';
import type { State } from '../state.ts';
import { Probe, serveState } from '../testing/index.ts';
import type { StateServiceDeps } from './state-service.ts';

const HISTORY = 32;
const NAMES = new Map<number, string>(Object.entries(cosiProto.EventType).map(([name, value]) => [value, name]));
const kind = { namespace: 'test', type: Probe.type };

interface Served extends AsyncDisposable {
  readonly state: State;
  readonly client: GrpcClient;
  readonly remote: ServiceClient<typeof cosiProto.State>;
}

async function serve(deps: Partial<StateServiceDeps> = {}): Promise<Served> {
  const state = createState({ clock: createFakeClock(1_700_000_000_123), historyMax: HISTORY });
  state.register(Probe);
  const served = await serveState(state, deps);
  const [host = '', port = ''] = served.address.split(':');
  const client = createGrpcClient({ address: { host, port: Number(port) }, clock: systemClock });
  return {
    state,
    client,
    remote: client.service(cosiProto.State),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

function eventText({ eventType, resource, error }: cosiProto.Event): string {
  const { id = '', version = '' } = resource?.metadata ?? {};
  return [NAMES.get(eventType) ?? '', id === '' ? '' : `${id}@${version}`, error ?? '']
    .filter((part) => part !== '')
    .join(' ');
}

interface Watch {
  /** Texts of the events of each message; the first is the empty one that arms. */
  readonly messages: string[][];
  readonly events: cosiProto.Event[];
  readonly ended: Promise<unknown>;
  cancel(): void;
}

function watch({ remote }: Served, request: MessageInitShape<typeof cosiProto.WatchRequestSchema> = {}): Watch {
  const abort = new AbortController();
  const messages: string[][] = [];
  const events: cosiProto.Event[] = [];
  const ended = (async () => {
    try {
      for await (const { event } of remote.watch({ ...kind, apiVersion: 1, ...request }, { signal: abort.signal })) {
        events.push(...event);
        messages.push(event.map(eventText));
      }
      return undefined;
    } catch (error) {
      return error;
    }
  })();
  return { messages, events, ended, cancel: () => abort.abort() };
}

const armed = (w: Watch): Promise<true> => until('the watch is armed', () => w.messages.length > 0 && true);
const told = (w: Watch, count: number): Promise<true> =>
  until(`${count} events`, () => w.events.length >= count && true, { explain: () => JSON.stringify(w.messages) });

const ids = async (answers: AsyncIterable<cosiProto.ListResponse>): Promise<string[]> => {
  const found: string[] = [];
  for await (const { resource } of answers) found.push(resource?.metadata?.id ?? '');
  return found;
};

const status = (name: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error && 'facts' in error, String(error));
  assert.deepEqual(error.facts, { status: name }, error.message);
  if (message !== undefined) assert.match(error.message, message);
  return true;
};

describe('reading over gRPC', () => {
  it('a resource comes with all its metadata and both forms of its spec', async () => {
    await using served = await serve();
    const spec = Probe.make({ name: 'x', size: 300, tags: ['a'] });
    served.state.create(Probe, 'a', spec, { owner: 'o', labels: { l: '1' }, annotations: { n: '2' } });
    served.state.addFinalizer(Probe, 'a', 'f');
    const { resource } = await served.remote.get({ ...kind, id: 'a' });
    const { $typeName: _, created, updated: __, ...metadata } = resource?.metadata ?? { $typeName: '' };
    assert.deepEqual(metadata, {
      ...kind,
      id: 'a',
      version: '2',
      owner: 'o',
      phase: 'running',
      finalizers: ['f'],
      labels: { l: '1' },
      annotations: { n: '2' },
    });
    assert.deepEqual([created?.seconds, created?.nanos], [1_700_000_000n, 123_000_000]);
    assert.equal(resource?.spec?.yamlSpec, 'name: x\nsize: 300\ntags:\n    - a\n');
    assert.deepEqual(Uint8Array.from(resource?.spec?.protoSpec ?? []), Probe.codec.toProtobuf(spec));
  });

  it('what is not there is NOT_FOUND, by its name', async () => {
    await using served = await serve();
    await assert.rejects(served.remote.get({ ...kind, id: 'a' }), status('NOT_FOUND', /test\/a.* doesn't exist/));
  });

  it('lists are in the order of ids and keep to patterns and labels', async () => {
    await using served = await serve();
    const { state, remote } = served;
    for (const [id, labels] of [
      ['b-1', { tier: 'web', size: '4Gi' }],
      ['a-2', { tier: 'db', size: '900 MB' }],
      ['c-3', {}],
    ] as const)
      state.create(Probe, id, Probe.make(), { labels });
    const { EXISTS, EQUAL, NOT_EXISTS, IN, LT, LTE, LT_NUMERIC, LTE_NUMERIC } = cosiProto.LabelTerm_Operation;
    const query = (options: MessageInitShape<typeof cosiProto.ListOptionsSchema>): Promise<string[]> =>
      ids(remote.list({ ...kind, options }));
    const label = (
      term: MessageInitShape<typeof cosiProto.LabelTermSchema>,
    ): MessageInitShape<typeof cosiProto.ListOptionsSchema> => ({ labelQuery: [{ terms: [term] }] });

    assert.deepEqual(await query({}), ['a-2', 'b-1', 'c-3']);
    assert.deepEqual(await query({ idQuery: { regexp: '^[ab]-' } }), ['a-2', 'b-1']);
    assert.deepEqual(await query({ idQuery: { regexp: '3' } }), ['c-3']);
    const cases: [MessageInitShape<typeof cosiProto.LabelTermSchema>, string[]][] = [
      [{ key: 'tier', op: EXISTS }, ['a-2', 'b-1']],
      [{ key: 'tier', op: EXISTS, invert: true }, ['c-3']],
      [{ key: 'tier', op: NOT_EXISTS }, ['c-3']],
      [{ key: 'tier', op: EQUAL, value: ['db'] }, ['a-2']],
      [{ key: 'tier', op: EQUAL, value: ['db'], invert: true }, ['b-1', 'c-3']],
      [{ key: 'tier', op: IN, value: ['db', 'web'] }, ['a-2', 'b-1']],
      [{ key: 'tier', op: LT, value: ['web'] }, ['a-2']],
      [{ key: 'tier', op: LTE, value: ['web'] }, ['a-2', 'b-1']],
      [{ key: 'size', op: LT_NUMERIC, value: ['1Gi'] }, ['a-2']],
      [{ key: 'size', op: LTE_NUMERIC, value: ['4Gi'] }, ['a-2', 'b-1']],
      [{ key: 'size', op: LT_NUMERIC, value: ['1Gi'], invert: true }, ['b-1']],
      [{ key: 'tier', op: LT_NUMERIC, value: ['1'] }, []],
    ];
    for (const [term, expected] of cases) assert.deepEqual(await query(label(term)), expected, JSON.stringify(term));
    const either = [
      { terms: [{ key: 'tier', op: EQUAL, value: ['db'] }] },
      {
        terms: [
          { key: 'tier', op: EXISTS },
          { key: 'size', op: EQUAL, value: ['4Gi'] },
        ],
      },
    ];
    assert.deepEqual(await query({ labelQuery: either }), ['a-2', 'b-1']);
  });

  it('patterns that are none and operators that are unknown are refused', async () => {
    await using served = await serve();
    const list = (options: MessageInitShape<typeof cosiProto.ListOptionsSchema>): Promise<string[]> =>
      ids(served.remote.list({ ...kind, options }));
    await assert.rejects(list({ idQuery: { regexp: '(' } }), status('INVALID_ARGUMENT', /failed to compile regexp/));
    await assert.rejects(list({ idQuery: { regexp: 'a'.repeat(20_000) } }), status('INVALID_ARGUMENT'));
    const unknown = { key: 'a', op: 77 as cosiProto.LabelTerm_Operation };
    await assert.rejects(list({ labelQuery: [{ terms: [unknown] }] }), status('UNIMPLEMENTED'));
  });

  it('whatever is asked for is answered or refused by name, and the next question is answered', async () => {
    await using served = await serve();
    for (const id of ['a', 'b']) served.state.create(Probe, id, Probe.make(), { labels: { size: '1Ki', odd: id } });
    const term = fc.record({
      key: fc.constantFrom('size', 'odd', '', '__proto__', 'constructor'),
      op: fc.integer({ min: -1, max: 9 }) as fc.Arbitrary<cosiProto.LabelTerm_Operation>,
      value: fc.array(fc.oneof(fc.string(), fc.constantFrom('1Ki', '-', '9'.repeat(50), '0x1')), { maxLength: 3 }),
      invert: fc.boolean(),
    });
    const options = fc.record({
      labelQuery: fc.array(fc.record({ terms: fc.array(term, { maxLength: 3 }) }), { maxLength: 3 }),
      idQuery: fc.record({
        regexp: fc.oneof(fc.string(), fc.constantFrom('(a+)+$', '[', '\\1', '(?=a)', 'a{1000}{1000}')),
      }),
    });
    const refusals = new Set(['INVALID_ARGUMENT', 'UNIMPLEMENTED']);
    await fc.assert(
      fc.asyncProperty(options, async (asked) => {
        try {
          await ids(served.remote.list({ ...kind, options: asked }));
        } catch (error) {
          assert.ok(isBloomeryError(error, 'BLM_GRPC_STATUS'), String(error));
          assert.ok(refusals.has(String(error.facts['status'])), error.message);
        }
      }),
      { numRuns: 200 },
    );
    assert.deepEqual(await ids(served.remote.list(kind)), ['a', 'b']);
  });

  it('a pattern that would make a backtracking matcher hang is answered at once', async () => {
    await using served = await serve();
    served.state.create(Probe, 'a'.repeat(60), Probe.make());
    const options = { idQuery: { regexp: '^(a+)+$|^(a|aa)+b' } };
    assert.equal((await ids(served.remote.list({ ...kind, options }))).length, 1);
  });
});

describe('what callers may do', () => {
  it('unknown types and namespaces are refused', async () => {
    await using served = await serve();
    const { remote } = served;
    const noType = status('PERMISSION_DENIED', /resource type "Nones.test.dev" is not supported/);
    const noNamespace = status('PERMISSION_DENIED', /namespace "none" is not supported/);
    await assert.rejects(remote.get({ namespace: 'test', type: 'Nones.test.dev', id: 'a' }), noType);
    await assert.rejects(ids(remote.list({ namespace: 'none', type: Probe.type })), noNamespace);
    assert.ok(noType(await watch(served, { type: 'Nones.test.dev' }).ended));
    assert.ok(noNamespace(await watch(served, { namespace: 'none' }).ended));
  });

  it('nobody writes', async () => {
    await using served = await serve();
    const { remote, state } = served;
    state.create(Probe, 'a', Probe.make());
    const refused = status('PERMISSION_DENIED', /: write access is not allowed$/);
    const a = { ...kind, id: 'a' };
    await assert.rejects(remote.create({ resource: { metadata: a } }), refused);
    await assert.rejects(remote.update({ newResource: { metadata: a } }), refused);
    await assert.rejects(remote.destroy(a), refused);
    await assert.rejects(remote.teardown(a), refused);
    await assert.rejects(remote.teardownAndDestroy(a), refused);
    assert.equal(state.get(Probe, 'a')?.metadata.version, 1);
  });

  it('who may not read a type is told so for get, list and watch', async () => {
    const authorize: StateServiceDeps['authorize'] = (_, { type }) => {
      if (type === Probe.type) throw grpcError('PERMISSION_DENIED', 'not authorized');
    };
    await using served = await serve({ authorize });
    const refused = status('PERMISSION_DENIED', /: not authorized$/);
    await assert.rejects(served.remote.get({ ...kind, id: 'a' }), refused);
    await assert.rejects(ids(served.remote.list(kind)), refused);
    assert.ok(refused(await watch(served).ended));
    const definitions = { namespace: 'meta', type: ResourceDefinitionResource.type };
    assert.equal((await ids(served.remote.list(definitions))).length, 3);
  });
});

describe('watching over gRPC', () => {
  it('an empty message arms, then each change is one message', async () => {
    await using served = await serve();
    const w = watch(served);
    await armed(w);
    served.state.create(Probe, 'a', Probe.make());
    served.state.update(Probe, 'a', Probe.make({ size: 1 }), { version: 1 });
    served.state.destroy(Probe, 'a');
    await told(w, 3);
    assert.deepEqual(w.messages, [[], ['CREATED a@1'], ['UPDATED a@2'], ['DESTROYED a@2']]);
    assert.equal(w.events[1]?.old?.spec?.yamlSpec, 'name: ""\nsize: 0\ntags: []\n');
    assert.equal(w.events[2]?.resource?.spec?.yamlSpec, 'name: ""\nsize: 1\ntags: []\n');
    w.cancel();
  });

  it('bootstrap contents come before what is new, and are told to be all; a place to go on from after them', async () => {
    await using served = await serve();
    served.state.create(Probe, 'a', Probe.make());
    const w = watch(served, { options: { bootstrapContents: true, bootstrapBookmark: true } });
    await told(w, 3);
    served.state.create(Probe, 'b', Probe.make());
    await told(w, 4);
    assert.deepEqual(w.messages, [[], ['CREATED a@1'], ['BOOTSTRAPPED'], ['NOOP'], ['CREATED b@1']]);
    assert.deepEqual(
      w.events.map(({ bookmark }) => bookmark !== undefined),
      [false, true, true, true],
    );
  });

  it('clients of the first version are told neither of the end of the bootstrap nor of errors', async () => {
    await using served = await serve();
    served.state.create(Probe, 'a', Probe.make());
    const w = watch(served, { apiVersion: 0, options: { bootstrapContents: true } });
    await told(w, 1);
    served.state.create(Probe, 'b', Probe.make());
    await told(w, 2);
    assert.deepEqual(w.messages, [[], ['CREATED a@1'], ['CREATED b@1']]);
  });

  it('aggregated, many events are one message', async () => {
    await using served = await serve();
    for (let i = 0; i < 200; i++) served.state.create(Probe, `id-${i}`, Probe.make());
    const w = watch(served, { options: { bootstrapContents: true, aggregated: true } });
    await told(w, 201);
    assert.deepEqual(
      w.messages.map((texts) => texts.length),
      [0, 128, 73],
    );
  });

  it('of one resource begins with it; of one that is not there with a tombstone', async () => {
    await using served = await serve();
    served.state.create(Probe, 'a', Probe.make());
    const present = watch(served, { id: 'a' });
    const absent = watch(served, { id: 'b' });
    await Promise.all([told(present, 1), told(absent, 1)]);
    assert.deepEqual(present.messages, [[], ['CREATED a@1']]);
    assert.deepEqual(absent.messages, [[], ['DESTROYED b@undefined']]);
    assert.equal(absent.events[0]?.resource?.spec?.yamlSpec, '');
    served.state.create(Probe, 'b', Probe.make());
    await told(absent, 2);
    assert.deepEqual(absent.messages.at(-1), ['CREATED b@1']);
  });

  it('of one resource there are neither bootstrap contents nor labels', async () => {
    await using served = await serve();
    const labelQuery = [{ terms: [{ key: 'a' }] }];
    const unimplemented = status('UNIMPLEMENTED', /is not implemented for resource watch/);
    assert.ok(unimplemented(await watch(served, { id: 'a', options: { bootstrapContents: true } }).ended));
    assert.ok(unimplemented(await watch(served, { id: 'a', options: { labelQuery } }).ended));
  });

  it('what comes into sight is created and what leaves it is destroyed', async () => {
    await using served = await serve();
    const labelQuery = [{ terms: [{ key: 'seen' }] }];
    const w = watch(served, { options: { labelQuery } });
    await armed(w);
    const { state } = served;
    state.create(Probe, 'a', Probe.make());
    state.update(Probe, 'a', Probe.make(), { version: 1, labels: { seen: 'yes' } });
    state.update(Probe, 'a', Probe.make({ size: 1 }), { version: 2 });
    state.update(Probe, 'a', Probe.make(), { version: 3, labels: {} });
    state.destroy(Probe, 'a');
    state.create(Probe, 'z', Probe.make(), { labels: { seen: 'last' } });
    await told(w, 4);
    assert.deepEqual(w.messages.flat(), ['CREATED a@2', 'UPDATED a@3', 'DESTROYED a@4', 'CREATED z@1']);
  });

  it('begins with the last events when asked', async () => {
    await using served = await serve();
    for (const id of ['a', 'b', 'c']) served.state.create(Probe, id, Probe.make());
    const w = watch(served, { options: { tailEvents: 2 } });
    await told(w, 2);
    assert.deepEqual(w.messages.flat(), ['CREATED b@1', 'CREATED c@1']);
  });

  it('goes on from a bookmark after a lost connection; those of another run, or made up, are refused', async () => {
    await using served = await serve();
    const first = watch(served);
    await armed(first);
    for (const id of ['a', 'b', 'c']) served.state.create(Probe, id, Probe.make());
    await told(first, 2);
    first.cancel();
    const bookmark = first.events[0]?.bookmark ?? new Uint8Array();
    const second = watch(served, { options: { startFromBookmark: bookmark } });
    await told(second, 2);
    assert.deepEqual(second.messages.flat(), ['CREATED b@1', 'CREATED c@1']);

    await using restarted = await serve();
    for (const id of ['a', 'b', 'c']) restarted.state.create(Probe, id, Probe.make());
    const invalid = status('FAILED_PRECONDITION', /invalid watch bookmark/);
    for (const startFromBookmark of [bookmark, new Uint8Array(), new Uint8Array(16), new Uint8Array(1000)])
      assert.ok(invalid(await watch(restarted, { options: { startFromBookmark } }).ended));
  });

  it('options that exclude each other are refused', async () => {
    await using served = await serve();
    const refused = await watch(served, { options: { bootstrapContents: true, tailEvents: 3 } }).ended;
    assert.ok(status('INVALID_ARGUMENT')(refused));
  });

  it('more watches than there may be are refused, and a place is free when one ends', async () => {
    await using served = await serve({ watchesMax: 1 });
    const first = watch(served);
    await armed(first);
    assert.ok(status('RESOURCE_EXHAUSTED')(await watch(served).ended));
    first.cancel();
    await until('a place is free', async () => {
      const next = watch(served);
      let isOver = false;
      void next.ended.then(() => {
        isOver = true;
      });
      await until('an answer', () => isOver || next.messages.length > 0);
      next.cancel();
      return next.messages.length > 0;
    });
  });

  it('a caller has a quarter of them at most', async () => {
    await using served = await serve({ watchesMax: 8 });
    const own = [watch(served), watch(served)];
    await Promise.all(own.map(armed));
    assert.ok(status('RESOURCE_EXHAUSTED', /: this caller has 2 watches already$/)(await watch(served).ended));
    for (const { cancel } of own) cancel();
  });

  it('a client that does not read is told that it missed something; nothing is kept for it', async () => {
    await using served = await serve();
    const tags = ['x'.repeat(100_000)];
    const call = served.client.open(cosiProto.State.method.watch, {});
    const { stream } = call;
    const { toBinary, create } = await import('@bufbuild/protobuf');
    const request = toBinary(
      cosiProto.WatchRequestSchema,
      create(cosiProto.WatchRequestSchema, { ...kind, apiVersion: 1 }),
    );
    const frame = Buffer.alloc(5 + request.length);
    frame.writeUInt32BE(request.length, 1);
    frame.set(request, 5);
    stream.end(frame);
    stream.pause();
    served.state.create(Probe, 'a', Probe.make({ tags }));
    await new Promise((resolve) => stream.once('response', resolve));
    // Far more than the windows of the connection hold: the rest waits in the history, which forgets.
    for (let size = 1; size < 300; size++) {
      served.state.update(Probe, 'a', Probe.make({ size, tags }), { version: size });
      if (size % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(-1000);
    });
    stream.resume();
    await until('the overrun is told', () => text.includes('buffer overrun') && true, { deadlineMs: 20_000 });
    call.cancel();
  });
});
