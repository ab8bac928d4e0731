import { BloomeryError, type Clock, errorText, fraction, type Logger } from '@bloomery/ports';
import type { Controller } from '../controller.ts';
import type { Runtime, RuntimeDeps } from '../runtime.ts';
import { type ControllerRunner, createControllerRunner } from './controller-runner.ts';

/** How long the end waits for passes, and for each `stop`. */
const END_MAX_MS = 10_000;

/** Run controllers over a state. None is there yet: `start` adds them. */
export function startRuntime({ state, clock, log, random }: RuntimeDeps): Runtime {
  const abort = new AbortController();
  const runners: ControllerRunner[] = [];
  const byType = new Map<string, ControllerRunner[]>();
  const stopObserving = state.observe((event) => {
    for (const runner of byType.get(event.resource.metadata.type) ?? []) runner.onChange(event);
  });
  const controllers = (): readonly Controller[] => runners.map((runner) => runner.controller);

  const add = (controller: Controller): ControllerRunner => {
    const definitions = [...controller.inputs, ...controller.outputs].map(({ definition }) => definition);
    for (const definition of definitions) state.register(definition);
    const runner = createControllerRunner(controller, {
      state,
      clock,
      log,
      random: () => fraction(random),
      signal: abort.signal,
    });
    for (const type of new Set(definitions.map((definition) => definition.type)))
      byType.set(type, [...(byType.get(type) ?? []), runner]);
    runners.push(runner);
    return runner;
  };

  const end = async (): Promise<void> => {
    if (abort.signal.aborted) return;
    abort.abort();
    stopObserving();
    const hung = await unlessHung(clock, Promise.all(runners.map((runner) => runner.end())));
    if (hung) log.warn('cosi.passes_did_not_end', { controllers: runningNow(runners) });
    for (const { controller } of [...runners].reverse()) await stop(controller, clock, log);
  };

  return {
    start: (more) => {
      refuseRivals([...controllers(), ...more]);
      for (const runner of more.map(add)) runner.start();
    },
    get controllers() {
      return controllers();
    },
    status: () => runners.map((runner) => runner.status()),
    isIdle: () => runners.every((runner) => runner.isIdle()),
    [Symbol.asyncDispose]: end,
  };
}

function runningNow(runners: readonly ControllerRunner[]): readonly string[] {
  return runners.map((runner) => runner.status()).flatMap((s) => (s.runningSinceMs === undefined ? [] : [s.name]));
}

async function stop(controller: Controller, clock: Clock, log: Logger): Promise<void> {
  if (controller.stop === undefined) return;
  const facts = { controller: controller.name };
  try {
    if (await unlessHung(clock, controller.stop())) log.warn('cosi.stop_did_not_end', facts);
  } catch (error) {
    log.warn('cosi.stop_failed', { ...facts, error: errorText(error) });
  }
}

/** @returns whether it did not end in time */
async function unlessHung(clock: Clock, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([work.then(() => false), clock.sleep(END_MAX_MS, over.signal).then(() => true)]);
  } finally {
    over.abort();
  }
}

function refuseRivals(controllers: readonly Controller[]): void {
  const names = new Set<string>();
  const writers = new Map<string, { readonly controller: string; readonly kind: string }>();
  for (const { name, outputs } of controllers) {
    if (names.has(name)) throw new BloomeryError('BLM_COSI_CONTROLLER', `controller ${name} is there twice`);
    names.add(name);
    for (const { definition, kind } of outputs) {
      const { type } = definition;
      const other = writers.get(type);
      if (other !== undefined && other.controller !== name && (kind === 'exclusive' || other.kind === 'exclusive'))
        throw new BloomeryError(
          'BLM_COSI_OUTPUT',
          `controller ${name} wants to write ${type} (${kind}), which ${other.controller} writes (${other.kind})`,
          { facts: { type, controllers: [other.controller, name] } },
        );
      writers.set(type, { controller: name, kind });
    }
  }
}
