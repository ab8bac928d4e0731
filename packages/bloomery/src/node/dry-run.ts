import { createState, startRuntime } from '@bloomery/cosi';
import { SERVED_DEFINITIONS } from '@bloomery/node';
import { type Clock, silentLog } from '@bloomery/ports';
import { composeIsolated } from './isolated-node.ts';
import type { NodeOptions } from './node-options.ts';

/** The controllers have nothing more to say when they were silent for so long. */
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
  let lastMs = clock.nowMs();
  const say = (line: string): void => {
    if (said.has(line)) return;
    said.add(line);
    lastMs = clock.nowMs();
    print(line);
  };
  await using node = await composeIsolated(options, silentLog, say);
  const { environment, parts } = node;
  const state = createState({ clock, log: silentLog });
  for (const definition of SERVED_DEFINITIONS) state.register(definition);
  await using runtime = startRuntime({ state, clock, log: silentLog, random: environment.random });
  runtime.start(parts.inward);
  const endMs = clock.nowMs() + DEADLINE_MS;
  const isAtRest = (): boolean => runtime.isIdle() && clock.nowMs() - lastMs > QUIET_MS;
  while (clock.nowMs() < endMs && !isAtRest()) await clock.sleep(LOOK_MS);
  const refusals = environment.kernel.refusals();
  for (const refusal of refusals) print(`would be refused: ${refusal}`);
  if (said.size === 0 && refusals.length === 0) print('nothing would be changed');
  if (!isAtRest()) print(`more may follow: it did not come to rest in ${DEADLINE_MS / 1000} s`);
}
