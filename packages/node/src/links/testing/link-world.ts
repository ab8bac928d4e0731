import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock, type Logger } from '@bloomery/ports';
import type { Device, NodeConfig, NodeDocument } from '../../config/node-config.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { linkStatusController } from '../../kernel/status/link-status-controller.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../../resources/machine-config.ts';
import { DevicesStatus } from '../../resources/runtime.ts';
import { testEnvironment } from '../../testing/index.ts';
import { type LinkOptions, linkControllers } from '../index.ts';

/** The controllers of links at work over a fake kernel, with all that others bring them. */
export interface LinkWorld extends AsyncDisposable {
  readonly runtime: TestRuntime;
  /** Put a configuration in force, and wait until nothing moves. */
  apply(config: NodeConfig): Promise<void>;
}

export interface LinkWorldOptions extends LinkOptions {
  readonly manageAll?: boolean;
  readonly log?: Logger;
}

/** Begin with a configuration, as a daemon does. */
export async function startLinkWorld(
  kernel: Kernel,
  config: NodeConfig | undefined,
  options: LinkWorldOptions = {},
): Promise<LinkWorld> {
  const { manageAll = false, log, ...linkOptions } = options;
  const clock = createFakeClock(1_700_000_000_000);
  const environment = testEnvironment({ kernel, clock, ...(log === undefined ? {} : { log }) }, { manageAll });
  const controllers = [linkStatusController(kernel), ...linkControllers(environment, linkOptions)];
  const runtime = startTestRuntime(controllers, {
    definitions: [MachineConfig, DevicesStatus],
    clock,
    ...(log === undefined ? {} : { log }),
  });
  runtime.state.create(DevicesStatus, 'devices', { ready: true });
  if (config !== undefined) runtime.state.create(MachineConfig, ACTIVE_CONFIG, config);
  await runtime.settled();
  return {
    runtime,
    apply: (next) => runtime.put(MachineConfig, ACTIVE_CONFIG, next),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

let written = 0;

/** A configuration out of its parts, different from every other. */
export function configOf(interfaces: readonly Device[], documents: readonly NodeDocument[] = []): NodeConfig {
  return {
    text: `# ${++written}`,
    machine: {
      type: 'worker',
      acceptedCAs: [],
      certSANs: [],
      env: {},
      files: [],
      sysctls: {},
      time: { servers: [] },
      network: { interfaces, nameservers: [], searchDomains: [], extraHostEntries: [] },
      hostDNS: {},
    },
    documents,
  };
}

/** An interface of the configuration that says nothing but what is given. */
export function deviceOf(name: string, fields: Partial<Device> = {}): Device {
  return { interface: name, addresses: [], routes: [], vlans: [], mtu: 0, ...fields };
}
