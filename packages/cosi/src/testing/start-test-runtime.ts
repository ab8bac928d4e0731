import { createFakeClock, type FakeClock, type Logger, silentLog } from '@bloomery/ports';
import type { Controller } from '../controller.ts';
import { createState } from '../memory/create-state.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { startRuntime } from '../run/start-runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { InNamespace, State } from '../state.ts';

export interface TestRuntimeOptions {
  /** Types to serve beside those that the controllers declare. */
  readonly definitions?: readonly ResourceDefinition[];
  /** Virtual time; a new one unless given. */
  readonly clock?: FakeClock;
  readonly log?: Logger;
}

/** Controllers at work in virtual time. */
export interface TestRuntime extends AsyncDisposable {
  readonly state: State;
  readonly clock: FakeClock;
  readonly runtime: Runtime;
  /** Resolves when every controller has seen every change. @throws Error when they are still busy after 10 s of real time */
  settled(): Promise<void>;
  /** Virtual time passes, then as `settled`. */
  advance(byMs: number): Promise<void>;
  /** Create or change a resource as nobody in particular, as if an outsider had written it, then as `settled`. */
  put<S>(definition: ResourceDefinition<S>, id: string, spec: S, options?: InNamespace): Promise<void>;
  /** Tear down and destroy a resource of nobody in particular, as soon as the controllers let go of it. */
  remove<S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace): Promise<void>;
  /** Specs by id. */
  specs<S>(definition: ResourceDefinition<S>, options?: InNamespace): Readonly<Record<string, S>>;
}

const BUSY_MAX_MS = 10_000;

/** Run controllers over a state in memory, with a fake clock and without jitter. The first passes have not ended yet: see `settled`. */
export function startTestRuntime(controllers: readonly Controller[], options: TestRuntimeOptions = {}): TestRuntime {
  const { definitions = [], clock = createFakeClock(1_700_000_000_000), log = silentLog } = options;
  const state = createState({ clock, log });
  for (const definition of definitions) state.register(definition);
  // The middle of all numbers: back-off without jitter.
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(0x80, length - 1);
  const runtime = startRuntime({ state, clock, log, random });
  runtime.start(controllers);
  const settled = (): Promise<void> => untilIdle(runtime);

  return {
    state,
    clock,
    runtime,
    settled,
    advance: async (byMs) => {
      await settled();
      await clock.advance(byMs);
      await settled();
    },
    put: async (definition, id, spec, at = {}) => {
      const old = state.get(definition, id, at);
      if (old === undefined) state.create(definition, id, spec, at);
      else state.update(definition, id, spec, { ...at, version: old.metadata.version });
      await settled();
    },
    remove: async (definition, id, at = {}) => {
      state.teardown(definition, id, at);
      await settled();
      state.destroy(definition, id, at);
      await settled();
    },
    specs: (definition, at = {}) =>
      Object.fromEntries(state.list(definition, at).map(({ metadata, spec }) => [metadata.id, spec])),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

/** Twice idle in a row, with a turn of the event loop between: what a pass has started without waiting may still wake one. */
async function untilIdle(runtime: Runtime): Promise<void> {
  const deadline = Date.now() + BUSY_MAX_MS;
  for (let idleTurns = 0; idleTurns < 2; ) {
    await new Promise((resolve) => setImmediate(resolve));
    idleTurns = runtime.isIdle() ? idleTurns + 1 : 0;
    if (Date.now() > deadline) {
      const busy = runtime.status().filter(({ runningSinceMs }) => runningSinceMs !== undefined);
      throw new Error(`controllers are still busy: ${busy.map(({ name }) => name).join(', ')}`);
    }
  }
}
