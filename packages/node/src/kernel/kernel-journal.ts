import { isDeepStrictEqual } from 'node:util';
import { errorText, type Logger } from '@bloomery/ports';
import {
  entryKey,
  entryLink,
  type JournalEntry,
  type LinkBefore,
  linkBefore,
  mergeBefore,
  newAddress,
} from './journal-entry.ts';
import { openJournalFile } from './journal-file.ts';
import type { EthernetChange, EthernetState, Kernel, KernelRoute } from './kernel.ts';
import { addressKey, routeKey, routePlace } from './kernel-keys.ts';
import { linkName } from './object-names.ts';
import { undoEntries } from './undo-entries.ts';

/** A kernel whose changes can be undone. */
export interface KernelJournal extends Kernel {
  /**
   * Undo what was done through it, the last first: what was made is removed, what was changed is put back. What was there before is never
   * removed, and what is gone by itself is no problem. Continues behind refusals.
   *
   * @returns what could not be undone, and why
   */
  undo(): Promise<readonly string[]>;
  /** What would be undone, the oldest first. */
  readonly entries: readonly JournalEntry[];
}

/** Where the journal is kept. */
export interface JournalOptions {
  /** `DIR/undo.json`: written before each change, with mode 0600. What it holds of an earlier run since the same boot is taken over. */
  readonly file: string;
  readonly log: Logger;
  /** Where `/proc` is; `/` unless given. */
  readonly root?: string;
}

/** Wrap a kernel. */
export async function createKernelJournal(kernel: Kernel, options: JournalOptions): Promise<KernelJournal> {
  const { file, log, root = '/' } = options;
  const { view } = kernel;
  const journal = await openJournalFile(file, root, log);
  const entries = new Map(journal.entries.map((entry) => [entryKey(entry), entry]));
  const save = (): Promise<void> => journal.save(() => [...entries.values()]);
  /** Write down how to undo it, then do it; what was refused needs no undoing. */
  const record = async (entry: JournalEntry, act: () => Promise<void>): Promise<void> => {
    const key = entryKey(entry);
    if (entries.has(key)) return act();
    entries.set(key, entry);
    await save();
    try {
      await act();
    } catch (error) {
      entries.delete(key);
      await save();
      throw error;
    }
  };
  /** Take away: what was ours needs no undoing any more, what was not is put back one day. */
  const takeAway = async (ours: JournalEntry, before: JournalEntry | undefined, act: () => Promise<void>) => {
    const old = entries.get(entryKey(ours));
    if (old?.do === ours.do) {
      await act();
      entries.delete(entryKey(ours));
      return save();
    }
    return before === undefined ? act() : record(before, act);
  };
  const isOurs = (index: number): boolean => entries.get(`link ${index}`)?.do === 'removeLink';
  const forgetLink = async (index: number): Promise<void> => {
    for (const [key, entry] of entries) if (entryLink(entry) === index) entries.delete(key);
    await save();
  };
  /** What a link was is only written down once; more of it as more is changed. */
  const recordLink = async (index: number, before: LinkBefore): Promise<void> => {
    const key = `link ${index}`;
    const old = entries.get(key);
    if (old?.do === 'removeLink') return;
    const all = old?.do === 'restoreLink' ? mergeBefore(before, old.before) : before;
    if (old?.do === 'restoreLink' && isDeepStrictEqual(all, old.before)) return;
    entries.set(key, { do: 'restoreLink', index, name: linkName(view, index), before: all });
    await save();
  };
  const made = async (name: string, make: () => Promise<void>): Promise<void> => {
    const known = new Set(view.links.keys());
    await make();
    // Also the other end of a pair. Those that others make at the same moment have other names.
    const own = view.linkByName(name);
    const all = [...view.links.values()].filter(({ index }) => !known.has(index));
    for (const link of all)
      if (link.index === own?.index || link.index === own?.linkIndex)
        entries.set(`link ${link.index}`, { do: 'removeLink', index: link.index, name: link.name });
    await save();
  };

  return {
    ...kernel,
    view,
    links: {
      create: (link) => made(link.name, () => kernel.links.create(link)),
      remove: async (index) => {
        await kernel.links.remove(index);
        await forgetLink(index);
      },
      change: async (index, change) => {
        const link = view.links.get(index);
        if (link !== undefined && !isOurs(index)) await recordLink(index, linkBefore(link, change, view));
        await kernel.links.change(index, change);
      },
    },
    addresses: {
      put: (address) => {
        const old = view.addresses.get(addressKey(address));
        const { linkIndex } = address;
        return record(
          old === undefined
            ? { do: 'removeAddress', linkIndex, address: address.address }
            : { do: 'putAddress', address: newAddress(old) },
          () => kernel.addresses.put(address),
        );
      },
      remove: (linkIndex, address) => {
        const old = view.addresses.get(addressKey({ linkIndex, address }));
        return takeAway(
          { do: 'removeAddress', linkIndex, address },
          old === undefined ? undefined : { do: 'putAddress', address: newAddress(old) },
          () => kernel.addresses.remove(linkIndex, address),
        );
      },
      announce: (linkIndex, address) => kernel.addresses.announce(linkIndex, address),
    },
    routes: {
      put: (route) => {
        const old = presentRoute(kernel, route);
        return record(old === undefined ? { do: 'removeRoute', route } : { do: 'putRoute', route: old }, () =>
          kernel.routes.put(route),
        );
      },
      remove: (route) => {
        const old = presentRoute(kernel, route);
        const before: JournalEntry | undefined = old === undefined ? undefined : { do: 'putRoute', route: old };
        const ours = entries.get(entryKey({ do: 'removeRoute', route }));
        return takeAway(ours ?? { do: 'removeRoute', route }, before, () => kernel.routes.remove(route));
      },
    },
    rules: {
      add: (rule) => record({ do: 'removeRule', rule }, () => kernel.rules.add(rule)),
      remove: (rule) => takeAway({ do: 'removeRule', rule }, { do: 'addRule', rule }, () => kernel.rules.remove(rule)),
    },
    wireguard: {
      ...kernel.wireguard,
      create: (name) => made(name, () => kernel.wireguard.create(name)),
    },
    ethernet: {
      read: (link) => kernel.ethernet.read(link),
      change: async (link, change) => {
        await recordLink(link.index, { ethernet: ethernetBefore(await kernel.ethernet.read(link), change) });
        await kernel.ethernet.change(link, change);
      },
    },
    get entries() {
      return [...entries.values()];
    },
    undo: async () => {
      const problems = await undoEntries(kernel, [...entries.values()].reverse(), log);
      entries.clear();
      await journal.remove().catch((error: unknown) => log.warn('kernel.journal_left', { error: errorText(error) }));
      return problems;
    },
  };
}

/** The route that this one would replace. The kernel finds the link of a gateway by itself. */
function presentRoute({ view }: Kernel, route: KernelRoute): KernelRoute | undefined {
  const same = view.routes.get(routeKey(route));
  if (same !== undefined || route.outLinkIndex !== 0) return same;
  const place = routePlace(route);
  return [...view.routes.values()].find((other) => other.gateway === route.gateway && routePlace(other) === place);
}

/** Of all that the change changes. */
function ethernetBefore(state: EthernetState, change: EthernetChange): EthernetChange {
  const old = <T>(have: Readonly<Record<string, T>> = {}, wanted: object = {}): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(have).filter(([name]) => Object.hasOwn(wanted, name)));
  const features = Object.fromEntries(state.features.map(({ name, wanted }) => [name, wanted]));
  return {
    ...(change.rings === undefined ? {} : { rings: old(state.rings, change.rings) }),
    ...(change.features === undefined ? {} : { features: old(features, change.features) }),
    ...(change.channels === undefined ? {} : { channels: old(state.channels, change.channels) }),
    ...(change.wakeOnLan === undefined || state.wakeOnLan === undefined ? {} : { wakeOnLan: state.wakeOnLan }),
  };
}
