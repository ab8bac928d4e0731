import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import type { Controller, ReconcileContext } from '../controller.ts';
import { createState } from '../memory/create-state.ts';
import { defineResource } from '../resource-definition.ts';
import { text, uint } from '../spec/field.ts';
import { startTestRuntime } from '../testing/index.ts';
import { startRuntime } from './start-runtime.ts';

const Source = defineResource({ type: 'Sources.test.dev', namespace: 'test', spec: { size: uint(1) } });
const Product = defineResource({
  type: 'Products.test.dev',
  namespace: 'test',
  spec: { size: uint(1), from: text(2) },
});
const Other = defineResource({ type: 'Others.test.dev', namespace: 'test', spec: { size: uint(1) } });

const controller = (reconcile: Controller['reconcile'], more: Partial<Controller> = {}): Controller => ({
  name: 'test.Controller',
  inputs: [{ definition: Source, kind: 'strong' }],
  outputs: [{ definition: Product, kind: 'exclusive' }],
  reconcile,
  ...more,
});

/** One product for each source. */
const doubling = controller((context) => {
  const products = context.outputs(Product);
  for (const { metadata, spec } of context.list(Source))
    products.put(metadata.id, Product.make({ size: spec.size * 2, from: metadata.id }));
  products.finish();
});

describe('passes', () => {
  it('the first comes at the start, later ones after changes of inputs', async () => {
    let passes = 0;
    await using runtime = startTestRuntime([controller(() => void passes++)]);
    await runtime.settled();
    assert.equal(passes, 1);
    await runtime.put(Source, 'a', { size: 1 });
    assert.equal(passes, 2);
  });

  it('outputs follow inputs, and go with them', async () => {
    await using runtime = startTestRuntime([doubling]);
    await runtime.put(Source, 'a', { size: 1 });
    await runtime.put(Source, 'b', { size: 2 });
    assert.deepEqual(runtime.specs(Product), { a: { size: 2, from: 'a' }, b: { size: 4, from: 'b' } });
    await runtime.remove(Source, 'a');
    assert.deepEqual(runtime.specs(Product), { b: { size: 4, from: 'b' } });
  });

  it('many changes while one runs are one more pass, and no two run at once', async () => {
    let passes = 0;
    let atOnce = 0;
    let most = 0;
    let letGo = (): void => {};
    const first = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow = controller(async () => {
      passes += 1;
      atOnce += 1;
      most = Math.max(most, atOnce);
      if (passes === 1) await first;
      atOnce -= 1;
    });
    await using runtime = startTestRuntime([slow], { definitions: [Source] });
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 50; i++) runtime.state.create(Source, `s${i}`, { size: i });
    letGo();
    await runtime.settled();
    assert.deepEqual([passes, most], [2, 1]);
  });

  it('one that wakes itself before it first waits is not run beside itself', async () => {
    let atOnce = 0;
    let most = 0;
    await using runtime = startTestRuntime([
      controller(async (context) => {
        most = Math.max(most, ++atOnce);
        for (const { metadata } of context.list(Source)) context.hold(Source, metadata.id);
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        atOnce--;
      }),
    ]);
    await runtime.put(Source, 'a', { size: 1 });
    assert.equal(most, 1);
  });

  it('what does not concern a controller does not wake it', async () => {
    let passes = 0;
    const one = controller(() => void passes++, { inputs: [{ definition: Source, kind: 'weak', id: 'mine' }] });
    await using runtime = startTestRuntime([one], { definitions: [Other] });
    await runtime.settled();
    await runtime.put(Other, 'a', { size: 1 });
    await runtime.put(Source, 'theirs', { size: 1 });
    await runtime.put(Source, 'mine', { size: 1 }, { namespace: 'elsewhere' });
    assert.equal(passes, 1);
    await runtime.put(Source, 'mine', { size: 1 });
    assert.equal(passes, 2);
  });

  it('writing the same again wakes nobody', async () => {
    let passes = 0;
    const reader = controller(() => void passes++, {
      name: 'test.Reader',
      inputs: [{ definition: Product, kind: 'weak' }],
      outputs: [],
    });
    await using runtime = startTestRuntime([doubling, reader]);
    await runtime.put(Source, 'a', { size: 1 });
    const before = passes;
    runtime.state.register(Other);
    await runtime.put(Source, 'a', { size: 1 });
    assert.equal(passes, before);
  });

  it('a pass may ask for another after some time; the next pass begins anew with that', async () => {
    const times: number[] = [];
    await using runtime = startTestRuntime([
      controller((context) => {
        times.push(context.clock.nowMs());
        context.wakeAfter(30_000);
        if (times.length === 1) context.wakeAfter(10_000);
      }),
    ]);
    await runtime.settled();
    await runtime.advance(100_000);
    const [begin = 0] = times;
    assert.deepEqual(
      times.map((time) => time - begin),
      [0, 10_000, 40_000, 70_000, 100_000],
    );
  });
});

describe('failures', () => {
  const failing = (times: number[]): Controller =>
    controller((context) => {
      times.push(context.clock.nowMs());
      throw new Error('the kernel said no');
    });

  it('are tried again after 0.5 s, then half as long again each time, and at most a minute', async () => {
    const times: number[] = [];
    await using runtime = startTestRuntime([failing(times)]);
    await runtime.settled();
    for (let s = 0; s < 400; s++) await runtime.clock.advance(1000);
    const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.deepEqual(waits.slice(0, 4), [500, 750, 1125, 1688]);
    assert.equal(waits.at(-1), 60_000);
  });

  it('are in the status, and forgotten after a pass that ends well', async () => {
    let isBroken = true;
    const sometimes = controller(() => {
      if (isBroken) throw new Error('the kernel said no');
    });
    await using runtime = startTestRuntime([sometimes]);
    await runtime.settled();
    const [broken] = runtime.runtime.status();
    assert.deepEqual([broken?.failures, broken?.lastError], [1, 'the kernel said no']);
    isBroken = false;
    await runtime.advance(1000);
    const [mended] = runtime.runtime.status();
    assert.deepEqual([mended?.failures, mended?.lastError, mended?.passes], [0, '', 2]);
  });

  it('do not sit out a long back-off when an input changes, but wait half a second', async () => {
    const times: number[] = [];
    await using runtime = startTestRuntime([failing(times)]);
    for (let s = 0; s < 100; s++) await runtime.clock.advance(1000);
    const before = times.length;
    await runtime.put(Source, 'a', { size: 1 });
    await runtime.advance(499);
    assert.equal(times.length, before);
    await runtime.advance(1);
    assert.equal(times.length, before + 1);
  });

  it('do not sit it out either when the input changes while a pass runs that then fails', async () => {
    const times: number[] = [];
    let gate = Promise.resolve();
    const slow = controller(async (context) => {
      times.push(context.clock.nowMs());
      await gate;
      throw new Error('the kernel said no');
    });
    await using runtime = startTestRuntime([slow]);
    for (let s = 0; s < 100; s++) await runtime.advance(1000);
    const before = times.length;
    const { promise, resolve: open } = Promise.withResolvers<void>();
    gate = promise;
    while (times.length === before) await runtime.clock.advance(1000);
    runtime.state.create(Source, 'a', { size: 1 });
    gate = Promise.resolve();
    open();
    await runtime.advance(500);
    assert.equal(times.length, before + 2);
  });

  it('that cause their own changes are tried less and less often, too', async () => {
    const times: number[] = [];
    let wake = (): void => {};
    const source = {
      listen: (call: () => void) => {
        wake = call;
        return () => {};
      },
    };
    const stirring = controller(
      async (context) => {
        times.push(context.clock.nowMs());
        // The kernel tells of what the pass has done when it is over.
        setImmediate(() => wake());
        throw new Error('the kernel said no');
      },
      { wakes: [source] },
    );
    await using runtime = startTestRuntime([stirring]);
    for (let s = 0; s < 120; s++) await runtime.advance(1000);
    assert.ok(times.length < 20, `${times.length} passes in two minutes`);
  });

  it('of one controller, or its hanging, do not keep the others from their work', async () => {
    const hanging = controller(() => new Promise(() => {}), { name: 'test.Hanging', outputs: [] });
    const broken = controller(
      () => {
        throw new Error('always');
      },
      { name: 'test.Broken', outputs: [] },
    );
    const clock = createFakeClock(1);
    const state = createState({ clock });
    const random = (length: number): Uint8Array => new Uint8Array(length);
    const runtime = startRuntime({ state, clock, log: silentLog, random });
    runtime.start([hanging, broken, doubling]);
    state.create(Source, 'a', { size: 4 });
    await clock.advance(10);
    assert.equal(state.get(Product, 'a')?.spec.size, 8);
    const ended = runtime[Symbol.asyncDispose]();
    await clock.advance(10_000);
    await ended;
  });

  it('are logged with the name of the controller, what happened and when it is tried again', async () => {
    const lines: unknown[] = [];
    const log = {
      ...silentLog,
      with: (fields: object) => ({
        ...log,
        warn: (event: string, more: object = {}) => void lines.push({ event, ...fields, ...more }),
      }),
    };
    await using runtime = startTestRuntime([failing([])], { log });
    await runtime.settled();
    const expected = { event: 'cosi.pass_failed', controller: 'test.Controller', error: 'the kernel said no' };
    assert.deepEqual(lines, [{ ...expected, failures: 1, retryMs: 500 }]);
  });
});

describe('sources outside of the state', () => {
  it('wake at most five times at once and ten times a second, and the last call is never lost', async () => {
    let wake = (): void => {};
    let passes = 0;
    const source = {
      listen: (call: () => void) => {
        wake = call;
        return () => {};
      },
    };
    await using runtime = startTestRuntime([controller(() => void passes++, { wakes: [source] })]);
    await runtime.settled();
    passes = 0;
    for (let i = 0; i < 20; i++) {
      wake();
      await runtime.settled();
    }
    assert.equal(passes, 5);
    await runtime.advance(100);
    assert.equal(passes, 6);
    await runtime.advance(10_000);
    assert.equal(passes, 6);
  });

  it('are listened to again when that fails, and let go of at the end', async () => {
    let attempts = 0;
    let isListening = false;
    const source = {
      listen: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('no socket');
        isListening = true;
        return () => {
          isListening = false;
        };
      },
    };
    const runtime = startTestRuntime([controller(() => {}, { wakes: [source] })]);
    await runtime.advance(5000);
    assert.equal(isListening, true);
    await runtime[Symbol.asyncDispose]();
    assert.equal(isListening, false);
  });
});

describe('what a controller may do', () => {
  const tries = (attempt: (context: ReconcileContext) => unknown): Promise<string> =>
    (async () => {
      await using runtime = startTestRuntime([controller((context) => void attempt(context))], {
        definitions: [Other, Source],
      });
      runtime.state.create(Other, 'a', { size: 1 });
      runtime.state.create(Source, 'a', { size: 1 });
      await runtime.settled();
      return runtime.runtime.status()[0]?.lastError ?? '';
    })();

  it('reads its inputs and its outputs, nothing else', async () => {
    assert.equal(await tries((context) => [context.list(Source), context.list(Product)]), '');
    assert.match(await tries((context) => context.list(Other)), /may not read Others.test.dev\(test\/\*\)/);
    assert.match(
      await tries((context) => context.get(Source, 'a', { namespace: 'elsewhere' })),
      /may not read Sources.test.dev\(elsewhere\/a\)/,
    );
  });

  it('writes its outputs, nothing else', async () => {
    assert.match(await tries((context) => context.put(Other, 'b', { size: 1 })), /may not write Others.test.dev/);
    assert.match(await tries((context) => context.remove(Source, 'a')), /may not write Sources.test.dev/);
    assert.match(await tries((context) => context.outputs(Other).put('b', { size: 1 })), /may not write/);
  });

  it('holds only strong inputs', async () => {
    assert.equal(await tries((context) => context.hold(Source, 'a')), '');
    assert.match(await tries((context) => context.hold(Product, 'a')), /may not hold finalizers on Products/);
  });

  it('changes only what it owns', async () => {
    await using runtime = startTestRuntime([doubling], { definitions: [Product, Source] });
    runtime.state.create(Product, 'a', Product.make({ size: 1 }), { owner: 'test.Somebody' });
    await runtime.put(Source, 'a', { size: 1 });
    assert.match(runtime.runtime.status()[0]?.lastError ?? '', /is owned by "test.Somebody"/);
    await runtime.put(Source, 'b', { size: 1 });
    await runtime.state.destroy(Source, 'a');
    await runtime.advance(1000);
    assert.deepEqual(Object.keys(runtime.specs(Product)), ['a', 'b']);
  });

  it('an output that others hold stays, torn down, and goes when they let go', async () => {
    await using runtime = startTestRuntime([doubling]);
    await runtime.put(Source, 'a', { size: 1 });
    runtime.state.addFinalizer(Product, 'a', 'test.Holder');
    await runtime.remove(Source, 'a');
    assert.equal(runtime.state.get(Product, 'a')?.metadata.phase, 'tearingDown');
    runtime.state.removeFinalizer(Product, 'a', 'test.Holder');
    await runtime.settled();
    assert.equal(runtime.state.get(Product, 'a'), undefined);
  });

  it('an output that is wanted again while it is torn down comes again when the last holder lets go', async () => {
    await using runtime = startTestRuntime([doubling]);
    await runtime.put(Source, 'a', { size: 1 });
    runtime.state.addFinalizer(Product, 'a', 'test.Holder');
    await runtime.remove(Source, 'a');
    await runtime.put(Source, 'a', { size: 5 });
    assert.equal(runtime.state.get(Product, 'a')?.metadata.phase, 'tearingDown');
    runtime.state.removeFinalizer(Product, 'a', 'test.Holder');
    await runtime.settled();
    const { metadata, spec } = runtime.state.get(Product, 'a') ?? {};
    assert.deepEqual([metadata?.phase, spec?.size], ['running', 10]);
  });

  it('a pass that fails before it finishes its outputs destroys none', async () => {
    let isBroken = false;
    const fragile = controller((context) => {
      const products = context.outputs(Product);
      for (const { metadata } of context.list(Source)) {
        if (isBroken) throw new Error('half way');
        products.put(metadata.id, Product.make());
      }
      products.finish();
    });
    await using runtime = startTestRuntime([fragile]);
    await runtime.put(Source, 'a', { size: 1 });
    await runtime.put(Source, 'b', { size: 1 });
    isBroken = true;
    await runtime.put(Source, 'b', { size: 2 });
    assert.deepEqual(Object.keys(runtime.specs(Product)), ['a', 'b']);
  });
});

describe('registration', () => {
  const writer = (name: string, kind: 'exclusive' | 'shared'): Controller =>
    controller(() => {}, { name, outputs: [{ definition: Product, kind }] });

  it('a second writer of an exclusive output is refused, and none of the new ones begins', async () => {
    for (const [first, second] of [
      ['exclusive', 'exclusive'],
      ['exclusive', 'shared'],
      ['shared', 'exclusive'],
    ] as const) {
      await using runtime = startTestRuntime([writer('test.First', first)]);
      assert.throws(() => runtime.runtime.start([writer('test.Second', second)]), {
        code: 'BLM_COSI_OUTPUT',
        message: /test.Second wants to write Products.test.dev .* which test.First writes/,
      });
      assert.equal(runtime.runtime.controllers.length, 1);
    }
  });

  it('a shared output has as many writers as there are', async () => {
    await using runtime = startTestRuntime([writer('test.First', 'shared'), writer('test.Second', 'shared')]);
    assert.equal(runtime.runtime.controllers.length, 2);
  });

  it('two controllers of the same name are refused', async () => {
    await using runtime = startTestRuntime([writer('test.First', 'shared')]);
    assert.throws(() => runtime.runtime.start([writer('test.First', 'shared')]), { code: 'BLM_COSI_CONTROLLER' });
  });
});

describe('the end', () => {
  it('waits for passes that run, tells them to stop, and stops in the reverse order', async () => {
    const order: string[] = [];
    const stopping = (name: string): Controller =>
      controller(() => {}, { name, outputs: [], stop: async () => void order.push(`stop ${name}`) });
    const waiting = controller(
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        order.push('pass ended');
      },
      { name: 'test.Waiting', outputs: [] },
    );
    const runtime = startTestRuntime([stopping('test.A'), waiting, stopping('test.B')]);
    await new Promise((resolve) => setImmediate(resolve));
    await runtime[Symbol.asyncDispose]();
    assert.deepEqual(order, ['pass ended', 'stop test.B', 'stop test.A']);
  });

  it('a stop that throws does not keep the others from theirs, and nothing runs afterwards', async () => {
    let passes = 0;
    const broken = controller(() => {}, {
      name: 'test.Broken',
      outputs: [],
      stop: async () => {
        throw new Error('no');
      },
    });
    let isStopped = false;
    const fine = controller(() => void passes++, {
      outputs: [],
      stop: async () => {
        isStopped = true;
      },
    });
    const runtime = startTestRuntime([fine, broken]);
    await runtime.settled();
    await runtime[Symbol.asyncDispose]();
    runtime.state.create(Source, 'a', { size: 1 });
    await runtime.advance(100_000);
    assert.deepEqual([isStopped, passes], [true, 1]);
  });
});
