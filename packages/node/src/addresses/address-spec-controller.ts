import type { Controller } from '@bloomery/cosi';
import { errorText, type Logger } from '@bloomery/ports';
import { findLink } from '../kernel/find-link.ts';
import type { Kernel, NewAddress } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import { addressKey } from '../kernel/kernel-keys.ts';
import { madeAddress } from '../kernel/made-here.ts';
import { applySpecs, createAttempts, createPatience, type Patience, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { addressId } from './configured-addresses.ts';
import { kernelManagedFlags, placeHolder, planAddress } from './plan-address.ts';

/** What the kernel says of an address that is already gone. */
const GONE: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'ENODEV']);

/** Index of the link that each spec's address was put on, by the id of the spec. */
type Placed = Map<string, number>;

type Deps = Pick<NodeEnvironment, 'kernel' | 'random'>;

/** What is worked with in one pass. */
interface Work {
  readonly kernel: Kernel;
  readonly placed: Placed;
  readonly patience: Patience;
  readonly nowMs: number;
  readonly log: Logger;
}

/**
 * Puts the merged addresses on their links, then takes away those that go: a link is never without an address between an old and a new
 * one, as its routes would go with the last. An address waits for its link, and is put back when somebody else took it away. What differs
 * is changed in place where the kernel can do that, so that connections live on.
 */
export function addressSpecController({ kernel, random }: Deps, problems: Problems): Controller {
  const attempts = createAttempts({ definition: AddressSpec, problems, random });
  const placed: Placed = new Map();
  const patience = createPatience();
  return {
    name: 'network.AddressSpecController',
    inputs: [{ definition: AddressSpec, kind: 'strong' }],
    outputs: [],
    wakes: [
      {
        listen: (wake) =>
          kernel.listen(({ of }) => {
            // A link that has changed may be what a refused address needs, or have lost those that it had.
            if (of === 'link') attempts.hasten();
            if (of === 'link' || of === 'address' || of === 'all') wake();
          }),
      },
    ],
    reconcile: async (context) => {
      const work: Work = { kernel, placed, patience, nowMs: context.clock.nowMs(), log: context.log };
      await applySpecs(context, {
        definition: AddressSpec,
        attempts,
        problems,
        waitsFor: (spec) => reasonToWait(spec, kernel),
        bringAbout: (spec, staying) => bringAbout(spec, staying, work),
        takeAway: (spec, staying) => takeAway(spec, staying, work),
        inTheWay: (leaving, staying) => inTheWay(leaving, staying, kernel),
      });
    },
  };
}

function reasonToWait(spec: AddressSpec, { view }: Kernel): string | undefined {
  const plan = planAddress(spec, view);
  if (plan.do === 'wait') return `waits for link ${spec.linkName}: there is none of this name`;
  if (plan.do === 'report') return `another host of this network has ${spec.address}`;
  return undefined;
}

/** IPv6 tells addresses of a link apart by the address alone: one of another length has to go first. */
function inTheWay(
  leaving: readonly AddressSpec[],
  staying: readonly AddressSpec[],
  { view }: Kernel,
): Set<AddressSpec> {
  const place = ({ linkName, address }: AddressSpec): string =>
    `${findLink(view, linkName)?.index}/${address.slice(0, address.indexOf('/'))}`;
  const wanted = new Map(staying.filter(isIpv6).map((spec) => [place(spec), spec.address]));
  return new Set(leaving.filter((spec) => isIpv6(spec) && (wanted.get(place(spec)) ?? spec.address) !== spec.address));
}

const isIpv6 = ({ family }: AddressSpec): boolean => family === 'inet6';

async function bringAbout(spec: AddressSpec, staying: readonly AddressSpec[], work: Work): Promise<void> {
  const { kernel, placed, patience, log } = work;
  const plan = planAddress(spec, kernel.view);
  const facts = { address: spec.address, link: spec.linkName };
  if (plan.do === 'put' || plan.do === 'renew') {
    const { address } = plan;
    const dropped = kernelManagedFlags(spec);
    if (dropped.length > 0) log.warn('address.flags-dropped', { ...facts, flags: dropped });
    if (plan.do === 'renew') await renewAddress(address, kernel);
    else await kernel.addresses.put(address);
    log.info('address.assigned', { ...facts, layer: spec.layer });
    if (spec.announceWithARP) await announce(address, kernel, log);
  }
  const index = findLink(kernel.view, spec.linkName)?.index;
  await leaveFormerLink(spec, staying, work, index);
  if (index !== undefined) placed.set(addressId(spec), index);
  if (plan.do !== 'put' && plan.do !== 'renew') patience.rest(addressId(spec));
  else patience.spend(addressId(spec), work.nowMs, `putting ${spec.address} on ${spec.linkName}`);
}

/** Another address with the same bytes holds its place meanwhile: the routes of the link, and those from this address, go with the last. */
async function renewAddress(address: NewAddress, kernel: Kernel): Promise<void> {
  const holder = placeHolder(address);
  const { linkIndex } = address;
  const isHeld = kernel.view.addresses.has(addressKey(holder));
  if (!isHeld) await kernel.addresses.put(holder);
  try {
    await removeAddress(linkIndex, address.address, kernel);
    await kernel.addresses.put(address);
  } finally {
    if (!isHeld) await removeAddress(linkIndex, holder.address, kernel);
  }
}

/** An alias that names another link now takes its addresses with it. @returns whether there was something to be removed */
async function leaveFormerLink(
  spec: AddressSpec,
  staying: readonly AddressSpec[],
  { kernel, placed }: Work,
  index?: number,
): Promise<boolean> {
  const former = placed.get(addressId(spec));
  if (former === undefined || former === index) return false;
  const isRemoved = await removeOwn(former, spec, staying, kernel);
  placed.delete(addressId(spec));
  return isRemoved;
}

async function announce({ linkIndex, address }: NewAddress, kernel: Kernel, log: Logger): Promise<void> {
  await kernel.addresses.announce(linkIndex, address).catch((error: unknown) => {
    log.warn('address.not-announced', { address, problem: errorText(error) });
  });
}

async function takeAway(spec: AddressSpec, staying: readonly AddressSpec[], work: Work): Promise<void> {
  const { kernel, placed, patience, log } = work;
  patience.forget(addressId(spec));
  const index = findLink(kernel.view, spec.linkName)?.index;
  const isLeft = await leaveFormerLink(spec, staying, work, index);
  const isRemoved = index !== undefined && (await removeOwn(index, spec, staying, kernel));
  placed.delete(addressId(spec));
  if (isLeft || isRemoved)
    log.info('address.removed', { address: spec.address, link: spec.linkName, layer: spec.layer });
}

/**
 * Not one that was there before the daemon, nor one that another spec has there, under another name of the link.
 *
 * @returns whether it was to be removed
 */
async function removeOwn(
  linkIndex: number,
  { address }: AddressSpec,
  staying: readonly AddressSpec[],
  kernel: Kernel,
): Promise<boolean> {
  const isKept = staying.some(
    (other) => other.address === address && findLink(kernel.view, other.linkName)?.index === linkIndex,
  );
  if (isKept || !madeAddress(kernel, linkIndex, address)) return false;
  await removeAddress(linkIndex, address, kernel);
  return true;
}

/** One that is already gone is no failure. */
async function removeAddress(linkIndex: number, address: string, kernel: Kernel): Promise<void> {
  if (!kernel.view.addresses.has(addressKey({ linkIndex, address }))) return;
  await kernel.addresses.remove(linkIndex, address).catch((error: unknown) => {
    if (!GONE.has(refusalErrno(error))) throw error;
  });
}
