import type { Controller, WakeSource } from '@bloomery/cosi';
import { errorText, type Logger } from '@bloomery/ports';
import type { Kernel, KernelChange } from '../kernel/kernel.ts';
import { applySpecs, createAttempts, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { addressId } from './configured-addresses.ts';
import { findLink } from './find-link.ts';
import { kernelManagedFlags, planAddress, presentAddress } from './plan-address.ts';

type Deps = Pick<NodeEnvironment, 'kernel' | 'random'>;

/** Wakes when the kernel tells of one of these. */
export function onKernelChange(kernel: Pick<Kernel, 'listen'>, ...of: readonly KernelChange['of'][]): WakeSource {
  return {
    listen: (wake) =>
      kernel.listen((change) => {
        if (change.of === 'all' || of.includes(change.of)) wake();
      }),
  };
}

/**
 * Puts the merged addresses on their links, and takes away those that go. An address waits for its link, and is put back when somebody
 * else took it away. What differs is changed in place where the kernel can do that, so that connections live on.
 */
export function addressSpecController({ kernel, random }: Deps, problems: Problems): Controller {
  const attempts = createAttempts({ definition: AddressSpec, problems, random });
  return {
    name: 'network.AddressSpecController',
    inputs: [{ definition: AddressSpec, kind: 'strong' }],
    outputs: [],
    wakes: [onKernelChange(kernel, 'link', 'address')],
    reconcile: (context) =>
      applySpecs(context, {
        definition: AddressSpec,
        attempts,
        problems,
        waitsFor: (spec) => reasonToWait(spec, kernel),
        bringAbout: (spec) => bringAbout(spec, kernel, context.log),
        takeAway: (spec) => takeAway(spec, kernel, context.log),
      }),
  };
}

function reasonToWait(spec: AddressSpec, { view }: Kernel): string | undefined {
  const plan = planAddress(spec, view);
  if (plan.do === 'wait') return `waits for link ${spec.linkName}: there is none of this name`;
  if (plan.do === 'report') return `another host of this network has ${spec.address}`;
  return undefined;
}

async function bringAbout(spec: AddressSpec, kernel: Kernel, log: Logger): Promise<void> {
  const plan = planAddress(spec, kernel.view);
  if (plan.do !== 'put' && plan.do !== 'renew') return;
  const { address } = plan;
  const facts = { address: spec.address, link: spec.linkName };
  const dropped = kernelManagedFlags(spec);
  if (dropped.length > 0) log.warn('address.flags-dropped', { ...facts, flags: dropped });
  if (plan.do === 'renew') await kernel.addresses.remove(address.linkIndex, address.address);
  await kernel.addresses.put(address);
  log.info('address.assigned', { ...facts, layer: spec.layer });
  if (!spec.announceWithARP) return;
  await kernel.addresses.announce(address.linkIndex, address.address).catch((error: unknown) => {
    log.warn('address.not-announced', { ...facts, problem: errorText(error) });
  });
}

async function takeAway(spec: AddressSpec, kernel: Kernel, log: Logger): Promise<void> {
  if (presentAddress(spec, kernel.view) === undefined) return;
  const link = findLink(kernel.view, spec.linkName);
  if (link === undefined) return;
  await kernel.addresses.remove(link.index, spec.address);
  log.info('address.removed', { id: addressId(spec), layer: spec.layer });
}
