import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResourceDefinition } from '@bloomery/cosi';
import type { TestRuntime } from '@bloomery/cosi/testing';
import fc from 'fast-check';
import type { NodeConfig } from '../config/node-config.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { kernelRefused } from '../kernel/kernel-error.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import type { FakeKernel } from './fake-kernel/fake-kernel.ts';

/** Controllers at work over a kernel. */
export interface ConvergingWorld extends AsyncDisposable {
  readonly runtime: TestRuntime;
}

/** Something that somebody else does to the host. */
export type Disturbance = (kernel: FakeKernel) => Promise<void>;

/** An area of the daemon, and what a configuration can ask of it. */
export interface ConvergingArea<C> {
  readonly anyChoice: fc.Arbitrary<C>;
  /** Always one that the loader would take. */
  readonly configOf: (choice: C) => NodeConfig;
  readonly host: () => Promise<FakeKernel>;
  readonly start: (kernel: Kernel, config: NodeConfig) => Promise<ConvergingWorld>;
  /** What of a host a configuration decides: the same after any history. */
  readonly decided: (kernel: FakeKernel, config: NodeConfig) => Promise<unknown>;
  /** Specs that have problems. */
  readonly definitions: readonly ResourceDefinition[];
  /** Parts of operations that the kernel refuses for a while, and how. */
  readonly refused: { readonly texts: readonly string[]; readonly errnos: readonly string[] };
  /** By what they are. */
  readonly disturbances: Readonly<Record<string, Disturbance>>;
}

/** Longer than any back-off. */
const LONG_MS = 200_000;
/** Longer than news are held back. */
const NEWS_MS = 2_000;
const RUNS = 60;

/** Test that an area brings a host to what a fresh start gives, whatever happened before and meanwhile. */
export function describeConvergence<C>(what: string, area: ConvergingArea<C>): void {
  const { anyChoice, configOf, host, start, refused, disturbances } = area;
  const anyConfigs = (min: number) => fc.array(anyChoice.map(configOf), { minLength: min, maxLength: 4 });

  describe(`${what} converge`, () => {
    it('to what a fresh start gives, after any sequence of configurations', async () => {
      const check = async ([first, ...more]: readonly NodeConfig[]): Promise<void> => {
        const kernel = await host();
        await using world = await start(kernel, some(first));
        for (const config of more) {
          await world.runtime.put(MachineConfig, ACTIVE_CONFIG, config);
          await world.runtime.advance(NEWS_MS);
        }
        await isAsAfterFreshStart(area, kernel, some(more.at(-1)));
      };
      await fc.assert(fc.asyncProperty(anyConfigs(2), check), { numRuns: RUNS });
    });

    it('when configurations come while the one before is being carried out', async () => {
      const anyTurns = fc.array(fc.nat(40), { minLength: 4, maxLength: 4 });
      const check = async ([first, ...more]: readonly NodeConfig[], turns: readonly number[]): Promise<void> => {
        const kernel = await host();
        await using world = await start(kernel, some(first));
        for (const [at, config] of more.entries()) {
          overwrite(world.runtime, config);
          for (let turn = 0; turn < some(turns[at]); turn++) await Promise.resolve();
        }
        await world.runtime.advance(NEWS_MS);
        await isAsAfterFreshStart(area, kernel, some(more.at(-1)));
      };
      await fc.assert(fc.asyncProperty(anyConfigs(2), anyTurns, check), { numRuns: RUNS });
    });

    it('when the kernel refuses anything for a while, and problems are shown only as long as they last', async () => {
      const anyFault = fc.record({
        text: fc.constantFrom(...refused.texts),
        errno: fc.constantFrom(...refused.errnos),
        times: fc.integer({ min: 1, max: 6 }),
      });
      type Fault = { readonly text: string; readonly errno: string; readonly times: number };
      const check = async (first: C, second: C, faults: readonly Fault[]): Promise<void> => {
        const kernel = await host();
        const last = configOf(second);
        await using world = await start(kernel, configOf(first));
        for (const { text, errno, times } of faults) kernel.refuse(text, errno, times);
        await world.runtime.put(MachineConfig, ACTIVE_CONFIG, last);
        await restFor(world.runtime);
        await isAsAfterFreshStart(area, kernel, last);
        assert.deepEqual(problemsOf(world.runtime, area.definitions), {});
      };
      const anyFaults = fc.array(anyFault, { maxLength: 4 });
      await fc.assert(fc.asyncProperty(anyChoice, anyChoice, anyFaults, check), { numRuns: RUNS });
    });

    it('when others change the host meanwhile, and then let it be', async () => {
      const anyStorm = fc.array(fc.tuple(fc.constantFrom(...Object.keys(disturbances)), fc.nat(20)), { maxLength: 8 });
      const check = async (first: C, second: C, storm: readonly (readonly [string, number])[]): Promise<void> => {
        const kernel = await host();
        const last = configOf(second);
        await using world = await start(kernel, configOf(first));
        overwrite(world.runtime, last);
        for (const [name, turns] of storm) {
          await disturbances[name]?.(kernel);
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        }
        await restFor(world.runtime);
        await isAsAfterFreshStart(area, kernel, last);
        assert.deepEqual(problemsOf(world.runtime, area.definitions), {});
        const operations = kernel.operations.length;
        await restFor(world.runtime);
        assert.deepEqual(kernel.operations.slice(operations), [], 'it is at rest');
      };
      await fc.assert(fc.asyncProperty(anyChoice, anyChoice, anyStorm, check), { numRuns: RUNS });
    });

    it('when the daemon is killed before any operation and started again', async () => {
      const check = async (choice: C): Promise<void> => {
        const config = configOf(choice);
        for (let operations = 0; ; operations++) {
          const kernel = await host();
          const mortal = dyingAfter(kernel, operations);
          await (await start(mortal.kernel, config))[Symbol.asyncDispose]();
          await using _again = await start(kernel, config);
          await isAsAfterFreshStart(area, kernel, config, `killed before operation ${operations}`);
          if (!mortal.isDead()) break;
        }
      };
      await fc.assert(fc.asyncProperty(anyChoice, check), { numRuns: 8 });
    });
  });
}

async function isAsAfterFreshStart<C>(
  { host, start, decided }: ConvergingArea<C>,
  kernel: FakeKernel,
  config: NodeConfig,
  when?: string,
): Promise<void> {
  const fresh = await host();
  await using _world = await start(fresh, config);
  assert.deepEqual(await decided(kernel, config), await decided(fresh, config), when);
}

async function restFor(runtime: TestRuntime): Promise<void> {
  for (let i = 0; i < 12; i++) await runtime.advance(LONG_MS);
}

/** Put another configuration in force, without waiting for anything. */
function overwrite({ state }: TestRuntime, config: NodeConfig): void {
  const version = state.get(MachineConfig, ACTIVE_CONFIG)?.metadata.version ?? 0;
  state.update(MachineConfig, ACTIVE_CONFIG, config, { version });
}

function problemsOf({ state }: TestRuntime, definitions: readonly ResourceDefinition[]): unknown {
  const all = definitions.flatMap((definition) => state.list(definition));
  return Object.fromEntries(
    all.flatMap(({ metadata: { id, annotations } }) => {
      const problem = annotations[PROBLEM_ANNOTATION];
      return problem === undefined ? [] : [[id, problem]];
    }),
  );
}

/** A kernel that does so many changes and then none any more, as for a process that is gone. */
function dyingAfter(
  kernel: FakeKernel,
  operations: number,
): { readonly kernel: Kernel; readonly isDead: () => boolean } {
  let left = operations;
  let dead = false;
  const mortal =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      dead ||= left-- <= 0;
      if (dead) throw kernelRefused('asking for anything', { errno: 4 });
      return act(...args);
    };
  const { links, addresses, routes, rules, wireguard } = kernel;
  return {
    isDead: () => dead,
    kernel: {
      ...kernel,
      links: { create: mortal(links.create), remove: mortal(links.remove), change: mortal(links.change) },
      addresses: { ...addresses, put: mortal(addresses.put), remove: mortal(addresses.remove) },
      routes: { put: mortal(routes.put), remove: mortal(routes.remove) },
      rules: { add: mortal(rules.add), remove: mortal(rules.remove) },
      wireguard: { ...wireguard, create: mortal(wireguard.create), configure: mortal(wireguard.configure) },
    },
  };
}

function some<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}
