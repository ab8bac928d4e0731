import { entryKey, type JournalEntry } from './journal-entry.ts';
import type { Kernel, KernelRoute, KernelRule } from './kernel.ts';

/** What was made, rather than changed. */
export type MadeEntry = Extract<
  JournalEntry,
  { readonly do: 'removeLink' | 'removeAddress' | 'removeRoute' | 'removeRule' }
>;

/** Whether undoing the entry means to remove something. */
export function isMadeEntry(entry: JournalEntry): entry is MadeEntry {
  return entry.do.startsWith('remove');
}

/**
 * Whether the daemon has put the address there, in this run or an earlier one. What was there before it is left alone when it is no
 * longer asked for. Where nothing is written down, everything counts as its own.
 */
export function madeAddress(kernel: Kernel, linkIndex: number, address: string): boolean {
  return isMade(kernel, { do: 'removeAddress', linkIndex, address });
}

/** As `madeAddress`, for a route. */
export function madeRoute({ entries }: Kernel, route: KernelRoute): boolean {
  return entries === undefined || findMadeRoute(entries, route) !== undefined;
}

/** As `madeAddress`, for a link. */
export function madeLink(kernel: Pick<Kernel, 'entries'>, index: number): boolean {
  return isMade(kernel, { do: 'removeLink', index, name: '' });
}

/** As `madeAddress`, for a routing rule. */
export function madeRule(kernel: Kernel, rule: KernelRule): boolean {
  return isMade(kernel, { do: 'removeRule', rule });
}

function isMade({ entries }: Pick<Kernel, 'entries'>, wanted: MadeEntry): boolean {
  return entries === undefined || findMade(entries, wanted) !== undefined;
}

/** The entry of what was made, if it was. */
export function findMade(entries: NonNullable<Kernel['entries']>, wanted: MadeEntry): JournalEntry | undefined {
  const found = entries.get(entryKey(wanted));
  return found?.do === wanted.do ? found : undefined;
}

/** The entry of a route that was made. */
export function findMadeRoute(entries: NonNullable<Kernel['entries']>, route: KernelRoute): JournalEntry | undefined {
  for (const one of asItWasPut(route)) {
    const found = findMade(entries, { do: 'removeRoute', route: one });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How a route that is there was put: maybe without its link, which the kernel finds by the gateway, or takes the loopback for. */
export function asItWasPut(route: KernelRoute): readonly KernelRoute[] {
  return [route, { ...route, outLinkIndex: 0 }];
}
