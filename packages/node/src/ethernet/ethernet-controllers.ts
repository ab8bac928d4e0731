import type { Controller } from '@bloomery/cosi';
import type { Kernel } from '../kernel/kernel.ts';
import { onKernelChange } from '../kernel/on-kernel-change.ts';
import { applySpecs, createAttempts, type Problems, problemAnnotations } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { EthernetSpec } from '../resources/ethernet.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { DevicesStatus } from '../resources/runtime.ts';
import { configuredEthernet } from './configured-ethernet.ts';
import { planEthernet } from './plan-ethernet.ts';

const DEVICES = 'devices';

/** EthernetConfig documents as specs, by the name of the link. */
export function ethernetConfigController(problems: Problems): Controller {
  return {
    name: 'network.EthernetConfigController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: EthernetSpec, kind: 'shared' }],
    wakes: [problems],
    reconcile: (context) => {
      const documents = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.documents ?? [];
      const tracked = context.outputs(EthernetSpec);
      for (const [name, spec] of configuredEthernet(documents))
        tracked.put(name, spec, { annotations: problemAnnotations(problems.of(name)) });
      tracked.finish();
    },
  };
}

/**
 * Sets network cards as their specs say, where they differ. What a card takes but does not do is not tried again and again: only when
 * the card or the spec changed since. A spec that goes leaves the card as it is.
 */
export function ethernetSpecController(
  { kernel, random }: Pick<NodeEnvironment, 'kernel' | 'random'>,
  problems: Problems,
): Controller {
  const attempts = createAttempts({ definition: EthernetSpec, problems, random });
  const done = new Map<string, string>();
  return {
    name: 'network.EthernetSpecController',
    inputs: [
      { definition: EthernetSpec, kind: 'strong' },
      { definition: DevicesStatus, id: DEVICES, kind: 'weak' },
    ],
    outputs: [],
    wakes: [onKernelChange(kernel, 'link', 'ethtool')],
    reconcile: async (context) => {
      if (context.get(DevicesStatus, DEVICES)?.spec.ready !== true) return;
      const names = new Map(context.list(EthernetSpec).map(({ metadata, spec }) => [spec, metadata.id]));
      const nameOf = (spec: EthernetSpec): string => names.get(spec) ?? '';
      await applySpecs(context, {
        definition: EthernetSpec,
        attempts,
        problems,
        waitsFor: (spec) => {
          const name = nameOf(spec);
          return kernel.view.linkByName(name) === undefined ? `link ${name} is not there` : undefined;
        },
        bringAbout: (spec) => bringAbout(nameOf(spec), spec, kernel, done),
        takeAway: (spec) => void done.delete(nameOf(spec)),
      });
    },
  };
}

/** @param done What was last told to each card, and how it was then. */
async function bringAbout(
  name: string,
  spec: EthernetSpec,
  kernel: Kernel,
  done: Map<string, string>,
): Promise<string | undefined> {
  const link = kernel.view.linkByName(name);
  if (link === undefined) return;
  const change = planEthernet(spec, await kernel.ethernet.read(link));
  if (change === undefined) {
    done.delete(name);
    return;
  }
  const ignored = `the card did not take ${JSON.stringify(change)}`;
  if (done.get(name) === fingerprint(link.index, spec, change)) return ignored;
  await kernel.ethernet.change(link, change);
  const rest = planEthernet(spec, await kernel.ethernet.read(link));
  if (rest === undefined) return;
  done.set(name, fingerprint(link.index, spec, rest));
  return `the card did not take ${JSON.stringify(rest)}`;
}

const fingerprint = (...parts: readonly unknown[]): string => JSON.stringify(parts);
