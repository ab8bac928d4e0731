import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock, type Logger } from '@bloomery/ports';
import type { Device, NodeConfig, NodeDocument } from '../../config/node-config.ts';
import type { Kernel, KernelLink } from '../../kernel/kernel.ts';
import { linkStatusController } from '../../kernel/status/link-status-controller.ts';
import { PROBLEM_ANNOTATION } from '../../layers/index.ts';
import { LINK_FLAGS } from '../../resources/enumerations.ts';
import { LinkSpec } from '../../resources/links.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../../resources/machine-config.ts';
import { DevicesStatus } from '../../resources/runtime.ts';
import { createFakeKernel, type FakeKernel, testEnvironment } from '../../testing/index.ts';
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

/** A document of the configuration. */
export const document = (kind: string, name: string, value: NodeDocument['value'] = {}): NodeDocument => ({
  ...{ kind, name, value, line: 1 },
});

/** A host with these cards, which are down. */
export function host(...cards: readonly string[]): FakeKernel {
  const kernel = createFakeKernel();
  for (const name of cards) kernel.plug({ name });
  return kernel;
}

/** The link of this name. */
export const linkOf = (kernel: Kernel, name: string): KernelLink | undefined => kernel.view.linkByName(name);

/** Whether the link is up. */
export const isUp = (kernel: Kernel, name: string): boolean =>
  ((linkOf(kernel, name)?.flags ?? 0) & LINK_FLAGS.UP) !== 0;

/** The name of the master of a link. */
export const masterOf = (kernel: Kernel, name: string): string | undefined =>
  kernel.view.links.get(linkOf(kernel, name)?.masterIndex ?? 0)?.name;

/** What stands in the way of a link. */
export const problemOf = ({ runtime }: LinkWorld, id: string): string | undefined =>
  runtime.state.get(LinkSpec, id)?.metadata.annotations[PROBLEM_ANNOTATION];

/** A log that keeps its lines as text. */
export function keptLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const keep =
    (level: string): Logger['info'] =>
    (event, fields) =>
      void lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
  const log: Logger = {
    ...{ debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') },
    with: () => log,
  };
  return { log, lines };
}
