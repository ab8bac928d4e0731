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
 * Say what the daemon would change first, and change nothing. What would follow from a change that was not made (an address on a link
 * that would be created) is not seen.
 *
 * @throws BloomeryError as composeIsolated
 */
export async function dryRun(options: NodeOptions, print: (line: string) => void, clock: Clock): Promise<void> {
  const said = new Set<string>();
  let lastMs = clock.nowMs();
  const say = (line: string): void => {
    // A change that is not made is wanted again in each pass.
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
  while (clock.nowMs() < endMs && !(runtime.isIdle() && clock.nowMs() - lastMs > QUIET_MS)) await clock.sleep(LOOK_MS);
  if (said.size === 0) print('nothing would be changed');
}
