import { createState, type State, startRuntime } from '@bloomery/cosi';
import { PROBLEM_ANNOTATION, SERVED_DEFINITIONS } from '@bloomery/node';
import { type Clock, type Logger, silentLog } from '@bloomery/ports';
import { composeIsolated } from './isolated-node.ts';
import type { NodeOptions } from './node-options.ts';

/** The controllers have nothing more to say when they did nothing and were silent for so long. */
const QUIET_MS = 500;
const DEADLINE_MS = 10_000;
const LOOK_MS = 50;

/**
 * Say what the daemon would change, also what follows from such a change, and change nothing. What others would answer (leases of DHCP)
 * is not known; what the kernel would refuse is said as its refusal.
 *
 * @throws BloomeryError as composeIsolated
 */
export async function dryRun(options: NodeOptions, print: (line: string) => void, clock: Clock): Promise<void> {
  const said = new Set<string>();
  /** When something was said or done last. */
  let lastMs = 0;
  const say = (line: string): void => {
    if (said.has(line)) return;
    said.add(line);
    lastMs = clock.nowMs();
    print(line);
  };
  const notices = new Set<string>();
  const log = noticesTo((notice) => void notices.add(notice));
  await using node = await composeIsolated(options, log, say);
  const { environment, parts } = node;
  const state = createState({ clock, log });
  for (const definition of SERVED_DEFINITIONS) state.register(definition);
  await using runtime = startRuntime({ state, clock, log, random: environment.random });
  runtime.start(parts.inward);
  const endMs = clock.nowMs() + DEADLINE_MS;
  const isAtRest = (): boolean => runtime.isIdle() && clock.nowMs() - lastMs > QUIET_MS;
  lastMs = clock.nowMs();
  while (clock.nowMs() < endMs && !isAtRest()) {
    await clock.sleep(LOOK_MS);
    if (!runtime.isIdle()) lastMs = clock.nowMs();
  }
  const refusals = environment.kernel.refusals();
  for (const refusal of refusals) print(`would be refused: ${refusal}`);
  if (said.size === 0 && refusals.length === 0) print('nothing would be changed');
  for (const line of [...waiting(state), ...notices]) print(`would wait: ${line}`);
  if (!isAtRest()) print(`more may follow: it did not come to rest in ${DEADLINE_MS / 1000} s`);
}

/** A log of which only the notices for a person are kept: selectors that match nothing, and the like. */
function noticesTo(keep: (notice: string) => void): Logger {
  const log: Logger = {
    ...silentLog,
    warn: (_event, fields) => {
      const notice = fields?.['notice'];
      if (typeof notice === 'string') keep(notice);
    },
    with: () => log,
  };
  return log;
}

/** What the configuration names and nothing can be done for, as there is no such link. */
function waiting(state: State): string[] {
  return SERVED_DEFINITIONS.flatMap((definition) => state.list(definition)).flatMap(({ metadata }) => {
    const problem = metadata.annotations[PROBLEM_ANNOTATION] ?? '';
    return problem.startsWith('waits for') ? [`${metadata.id} ${problem}`] : [];
  });
}
