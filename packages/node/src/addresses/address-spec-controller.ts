import type { Controller } from '@bloomery/cosi';
import { errorText, type Logger } from '@bloomery/ports';
import { findLink } from '../kernel/find-link.ts';
import type { Kernel, NewAddress } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import { addressKey } from '../kernel/kernel-keys.ts';
import { madeAddress } from '../kernel/made-here.ts';
import { onKernelChange } from '../kernel/on-kernel-change.ts';
import { applySpecs, createAttempts, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { addressId } from './configured-addresses.ts';
import { kernelManagedFlags, planAddress } from './plan-address.ts';

/** What the kernel says of an address that is already gone. */
const GONE: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'ENODEV']);

/** Index of the link that each spec's address was put on, by the id of the spec. */
type Placed = Map<string, number>;

type Deps = Pick<NodeEnvironment, 'kernel' | 'random'>;

/**
 * Puts the merged addresses on their links, and takes away those that go. An address waits for its link, and is put back when somebody
 * else took it away. What differs is changed in place where the kernel can do that, so that connections live on.
 */
export function addressSpecController({ kernel, random }: Deps, problems: Problems): Controller {
  const attempts = createAttempts({ definition: AddressSpec, problems, random });
  const placed: Placed = new Map();
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
        bringAbout: (spec) => bringAbout(spec, kernel, placed, context.log),
        takeAway: (spec) => takeAway(spec, kernel, placed, context.log),
      }),
  };
}

function reasonToWait(spec: AddressSpec, { view }: Kernel): string | undefined {
  const plan = planAddress(spec, view);
  if (plan.do === 'wait') return `waits for link ${spec.linkName}: there is none of this name`;
  if (plan.do === 'report') return `another host of this network has ${spec.address}`;
  return undefined;
}

async function bringAbout(spec: AddressSpec, kernel: Kernel, placed: Placed, log: Logger): Promise<void> {
  const plan = planAddress(spec, kernel.view);
  const facts = { address: spec.address, link: spec.linkName };
  if (plan.do === 'put' || plan.do === 'renew') {
    const { address } = plan;
    const dropped = kernelManagedFlags(spec);
    if (dropped.length > 0) log.warn('address.flags-dropped', { ...facts, flags: dropped });
    if (plan.do === 'renew') await removeAddress(address.linkIndex, spec, kernel);
    await kernel.addresses.put(address);
    log.info('address.assigned', { ...facts, layer: spec.layer });
    if (spec.announceWithARP) await announce(address, kernel, log);
  }
  const index = findLink(kernel.view, spec.linkName)?.index;
  await leaveFormerLink(spec, kernel, placed, index);
  if (index !== undefined) placed.set(addressId(spec), index);
}

/** An alias that names another link now takes its addresses with it. */
async function leaveFormerLink(spec: AddressSpec, kernel: Kernel, placed: Placed, index?: number): Promise<void> {
  const former = placed.get(addressId(spec));
  if (former === undefined || former === index) return;
  await removeOwn(former, spec, kernel);
  placed.delete(addressId(spec));
}

async function announce({ linkIndex, address }: NewAddress, kernel: Kernel, log: Logger): Promise<void> {
  await kernel.addresses.announce(linkIndex, address).catch((error: unknown) => {
    log.warn('address.not-announced', { address, problem: errorText(error) });
  });
}

async function takeAway(spec: AddressSpec, kernel: Kernel, placed: Placed, log: Logger): Promise<void> {
  await leaveFormerLink(spec, kernel, placed);
  const index = findLink(kernel.view, spec.linkName)?.index;
  if (index !== undefined) await removeOwn(index, spec, kernel);
  log.info('address.removed', { address: spec.address, link: spec.linkName, layer: spec.layer });
}

/** Not one that was there before the daemon. One that is already gone is no failure. */
async function removeOwn(linkIndex: number, spec: AddressSpec, kernel: Kernel): Promise<void> {
  if (madeAddress(kernel, linkIndex, spec.address)) await removeAddress(linkIndex, spec, kernel);
}

async function removeAddress(linkIndex: number, { address }: AddressSpec, kernel: Kernel): Promise<void> {
  if (!kernel.view.addresses.has(addressKey({ linkIndex, address }))) return;
  await kernel.addresses.remove(linkIndex, address).catch((error: unknown) => {
    if (!GONE.has(refusalErrno(error))) throw error;
  });
}
