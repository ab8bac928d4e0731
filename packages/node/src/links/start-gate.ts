import type { ReconcileContext, Resource } from '@bloomery/cosi';
import type { KernelView } from '../kernel/kernel.ts';
import type { LinkStatus } from '../resources/links.ts';

/** How long a start may take to show the links. */
const STARTING_MS = 2_000;

/** Whether what selectors and names look at is complete. */
export type StartGate = (context: ReconcileContext, links: readonly Resource<LinkStatus>[]) => boolean;

/**
 * Closed while a daemon that has just started does not show all links yet: names that mean nothing then, and selectors that match only
 * some, would release members of bonds and take them again. Asks for another pass while it is closed. Open without a kernel.
 */
export function createStartGate(view: Pick<KernelView, 'links'> | undefined): StartGate {
  let startedMs: number | undefined;
  let isOpen = view === undefined;
  return (context, links) => {
    startedMs ??= context.clock.nowMs();
    const leftMs = startedMs + STARTING_MS - context.clock.nowMs();
    const known = new Set(links.map(({ metadata }) => metadata.id));
    isOpen ||= leftMs <= 0 || [...(view?.links.values() ?? [])].every(({ name }) => known.has(name));
    if (!isOpen) context.wakeAfter(leftMs);
    return isOpen;
  };
}
