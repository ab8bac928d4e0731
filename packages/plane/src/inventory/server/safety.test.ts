import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCondition, findObject } from '@bloomery/kube';
import { ANNOTATIONS, type JsonObject, metalMachine, server, serverBinding } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { MACHINE, type Rack, startRack } from '../testing/simulated-plane.ts';

/** What people, machines and misfortune do to a rack. */
const DEEDS = {
  accept: (rack: Rack) => change(rack, { spec: { accepted: true } }),
  unaccept: (rack: Rack) => change(rack, { spec: { accepted: false } }),
  bind: (rack: Rack) => rack.bind(),
  release: (rack: Rack) => rack.release(),
  loseBinding: async (rack: Rack) => {
    await rack.client.patch(
      serverBinding,
      { name: MACHINE },
      { type: 'merge', body: { metadata: { finalizers: null } } },
    );
    await rack.release();
  },
  confirm: (rack: Rack) => annotate(rack, ANNOTATIONS.boundTo, null),
  protect: (rack: Rack) => annotate(rack, ANNOTATIONS.protect, ''),
  unprotect: (rack: Rack) => annotate(rack, ANNOTATIONS.protect, null),
  pause: (rack: Rack) => annotate(rack, ANNOTATIONS.pause, ''),
  unpause: (rack: Rack) => annotate(rack, ANNOTATIONS.pause, null),
  dirty: (rack: Rack) =>
    rack.client.patch(
      server,
      { name: MACHINE },
      { type: 'merge', body: { status: { isClean: false } } },
      { subresource: 'status' },
    ),
  forgetStatus: (rack: Rack) =>
    rack.client.patch(server, { name: MACHINE }, { type: 'merge', body: { status: null } }, { subresource: 'status' }),
  holder: async (rack: Rack) => {
    const key = { namespace: 'default', name: 'm' };
    const held = await findObject(rack.client, metalMachine, key);
    if (held !== undefined) return rack.client.delete(metalMachine, key);
    await rack.client.create(metalMachine, {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'MetalMachine',
      metadata: key,
      spec: {},
    });
  },
  press: async (rack: Rack) => rack.machine.press(),
  silence: async (rack: Rack) => {
    rack.machine.silent = !rack.machine.silent;
  },
  refuse: async (rack: Rack) => {
    rack.machine.refusing = !rack.machine.refusing;
  },
  breakAgent: async (rack: Rack) => {
    rack.machine.broken = !rack.machine.broken;
  },
  slowBmc: async (rack: Rack) => {
    rack.pxeDelayMs = 30_000 - rack.pxeDelayMs;
  },
  kill: async (rack: Rack) => rack.kill(),
  killSoon: async (rack: Rack) => {
    rack.killAt = rack.steps + 5;
  },
  second: (rack: Rack) => rack.pass(1000),
  minute: (rack: Rack) => rack.pass(60_000),
  minutes: (rack: Rack) => rack.pass(300_000),
  halfHour: (rack: Rack) => rack.pass(1_800_000),
} as const satisfies Record<string, (rack: Rack) => Promise<unknown>>;
type Deed = keyof typeof DEEDS;

function change(rack: Rack, body: JsonObject): Promise<unknown> {
  return rack.client.patch(server, { name: MACHINE }, { type: 'merge', body });
}

function annotate(rack: Rack, name: string, value: string | null): Promise<unknown> {
  return change(rack, { metadata: { annotations: { [name]: value } } });
}

async function perform(deed: Deed, rack: Rack): Promise<void> {
  try {
    await DEEDS[deed](rack);
  } catch (error) {
    // There is no binding to release, or one already.
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND') && !isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}

/** What must hold at the moment at which the power is switched. */
async function judge(rack: Rack, deed: string): Promise<string | undefined> {
  const { spec, metadata } = await rack.server();
  const bound = (await findObject(rack.client, serverBinding, { name: MACHINE })) !== undefined;
  const has = (name: string): boolean => Object.hasOwn(metadata.annotations ?? {}, name);
  if (spec?.accepted !== true) return `${deed} of a Server that is not accepted`;
  if (has(ANNOTATIONS.pause)) return `${deed} of a paused Server`;
  if (deed === 'powerOn') return undefined;
  if (bound) return `${deed} of a Server in use`;
  if (has(ANNOTATIONS.boundTo)) return `${deed} of a Server whose binding vanished`;
  if (deed === 'powerCycle' && has(ANNOTATIONS.protect)) return `${deed} of a protected Server`;
  return undefined;
}

describe('whatever happens in whatever order', () => {
  const deeds = fc.array(fc.constantFrom(...(Object.keys(DEEDS) as Deed[])), { minLength: 10, maxLength: 40 });
  const start: readonly Deed[] = ['accept', 'halfHour'];

  it('a machine is switched only when it may be, and wiped only when it is free', { timeout: 120_000 }, async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const property = fc.asyncProperty(deeds, async (order) => {
      const wrong: (string | undefined)[] = [];
      const rack: Rack = await startRack(
        { accepted: false, bmc: { endpoint: '10.0.0.9' } },
        {
          watch: async (deed) => void wrong.push(await judge(rack, deed)),
        },
      );
      try {
        for (const deed of [...start, ...order]) await perform(deed, rack);
        await rack.pass(60_000);
      } finally {
        await rack[Symbol.asyncDispose]();
      }
      assert.deepEqual(
        wrong.filter((text) => text !== undefined),
        [],
      );
    });
    await fc.assert(property, { seed, numRuns: 150, interruptAfterTimeLimit: 15_000 });
  });

  it('a machine is never lost: left alone it becomes available, running, or waits for somebody', {
    timeout: 120_000,
  }, async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const property = fc.asyncProperty(deeds, async (order) => {
      await using rack = await startRack({ accepted: false, bmc: { endpoint: '10.0.0.9' } });
      for (const deed of [...start, ...order]) await perform(deed, rack);
      Object.assign(rack.machine, { silent: false, refusing: false, broken: false });
      for (const deed of ['unpause', 'unprotect', 'accept'] as const) await perform(deed, rack);
      await rack.pass(2 * 3_600_000);
      const { status } = await rack.server();
      // Whoever binds a machine by hand before it was wiped has its old system run on, which reports nothing to the new binding.
      const lost = order.filter((deed) => deed === 'bind').length > 1 ? ['Booting'] : [];
      const held = findCondition(status?.conditions, 'Ready')?.reason === 'HeldByMetalMachine';
      const rests = ['Available', 'Running', 'Parked', ...lost];
      const story = `${JSON.stringify(status)} after ${order.join(', ')}: ${rack.machine.history.join(', ')}`;
      assert.ok(held || rests.includes(status?.phase ?? ''), story);
    });
    await fc.assert(property, { seed, numRuns: 100, interruptAfterTimeLimit: 15_000 });
  });
});
