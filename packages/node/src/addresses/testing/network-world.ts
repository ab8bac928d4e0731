import type { Controller, ResourceDefinition } from '@bloomery/cosi';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import type { Logger } from '@bloomery/ports';
import type { NodeConfig } from '../../config/node-config.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PROBLEM_ANNOTATION } from '../../layers/index.ts';
import { deviceConfigController } from '../../links/device-config-controller.ts';
import { ACTIVE_CONFIG, LinkStatus, MachineConfig } from '../../resources/index.ts';
import { routeControllers } from '../../routes/index.ts';
import { testEnvironment } from '../../testing/index.ts';
import { addressControllers } from '../index.ts';

/** The controllers of addresses, routes and rules at work over a kernel whose links somebody else looks after. */
export interface NetworkWorld extends AsyncDisposable {
  readonly runtime: TestRuntime;
  /** Put a configuration in force, and wait until nothing moves. */
  apply(config: NodeConfig | undefined): Promise<void>;
  /** Let time pass until every wake-up of the kernel's news has been served. */
  settle(): Promise<void>;
  /** What stands in the way of the merged specs, by id. */
  problems(definition: ResourceDefinition): Readonly<Record<string, string>>;
}

export interface NetworkWorldOptions {
  readonly manageAll?: boolean;
  readonly log?: Logger;
  /** Further controllers. */
  readonly more?: readonly Controller[];
}

/** Longer than news are held back. */
const NEWS_MS = 2_000;

/** Begin with a configuration, as a daemon does. */
export async function startNetworkWorld(
  kernel: Kernel,
  config?: NodeConfig,
  { manageAll = false, log, more = [] }: NetworkWorldOptions = {},
): Promise<NetworkWorld> {
  const environment = testEnvironment({ kernel }, { manageAll });
  const runtime = startTestRuntime(
    [deviceConfigController(), ...addressControllers(environment), ...routeControllers(environment), ...more],
    { definitions: [MachineConfig, LinkStatus], ...(log === undefined ? {} : { log }) },
  );
  const settle = async (): Promise<void> => {
    await runtime.settled();
    await runtime.advance(NEWS_MS);
  };
  const apply = async (next: NodeConfig | undefined): Promise<void> => {
    if (next !== undefined) await runtime.put(MachineConfig, ACTIVE_CONFIG, next);
    else await runtime.remove(MachineConfig, ACTIVE_CONFIG);
    await settle();
  };
  if (config !== undefined) runtime.state.create(MachineConfig, ACTIVE_CONFIG, config);
  await settle();
  return {
    runtime,
    apply,
    settle,
    problems: (definition) =>
      Object.fromEntries(
        runtime.state.list(definition).flatMap(({ metadata: { id, annotations } }) => {
          const problem = annotations[PROBLEM_ANNOTATION];
          return problem === undefined ? [] : [[id, problem]];
        }),
      ),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}
