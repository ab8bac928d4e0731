import { errorText, type Logger } from '@bloomery/ports';
import { addressBefore, type JournalEntry, linkBefore, newAddress, type SeenByJournal } from './journal-entry.ts';
import { openJournalFile } from './journal-file.ts';
import { createJournalRecorder, type JournalRecorder } from './journal-recorder.ts';
import type {
  EthernetChange,
  EthernetState,
  Kernel,
  KernelAddresses,
  KernelLinks,
  KernelRoute,
  KernelRoutes,
  KernelRules,
  KernelView,
} from './kernel.ts';
import { addressKey, routeKey, routePlace } from './kernel-keys.ts';
import { findMade, findMadeRoute } from './made-here.ts';
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
  readonly entries: ReadonlyMap<string, JournalEntry>;
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
  const journal = await openJournalFile(file, root, log);
  const recorder = createJournalRecorder(kernel.view, journal);
  const { entries } = recorder;
  // What was on a link goes with it, whoever took it away; its index may come back with another one.
  kernel.listen((change) => {
    if (change.of === 'link' && change.gone) void recorder.forgetLink(change.link.index);
  });
  const parts: Parts = { kernel, recorder, seen: seenBy(kernel.view, entries) };
  return {
    ...kernel,
    links: journalledLinks(parts),
    addresses: journalledAddresses(parts),
    routes: journalledRoutes(parts),
    rules: journalledRules(parts),
    wireguard: {
      create: (name) => recorder.made(name, () => kernel.wireguard.create(name)),
      read: (name) => kernel.wireguard.read(name),
      configure: (name, patch) => kernel.wireguard.configure(name, patch),
    },
    ethernet: {
      read: (link) => kernel.ethernet.read(link),
      change: async (link, change) => {
        await recorder.changeLink(link.index, { ethernet: ethernetBefore(await kernel.ethernet.read(link), change) });
        await kernel.ethernet.change(link, change);
      },
    },
    entries,
    undo: async () => {
      const problems = await undoEntries(kernel, [...entries.values()].reverse(), log);
      entries.clear();
      await journal.remove().catch((error: unknown) => log.warn('kernel.journal_left', { error: errorText(error) }));
      return problems;
    },
  };
}

function seenBy(view: KernelView, entries: KernelJournal['entries']): SeenByJournal {
  return {
    view,
    isOurAddress: ({ linkIndex, address }) =>
      findMade(entries, { do: 'removeAddress', linkIndex, address }) !== undefined,
    isOurRoute: (route) => findMadeRoute(entries, route) !== undefined,
  };
}

interface Parts {
  readonly kernel: Kernel;
  readonly recorder: JournalRecorder;
  readonly seen: SeenByJournal;
}

function journalledLinks({ kernel: { view, links }, recorder, seen }: Parts): KernelLinks {
  return {
    create: (link) => recorder.made(link.name, () => links.create(link)),
    remove: async (index) => {
      await links.remove(index);
      await recorder.forgetLink(index);
    },
    change: async (index, change) => {
      const link = view.links.get(index);
      if (link !== undefined && !recorder.isOurs(index))
        await recorder.changeLink(index, linkBefore(link, change, seen));
      await links.change(index, change);
    },
  };
}

function journalledAddresses({ kernel: { view, addresses }, recorder, seen }: Parts): KernelAddresses {
  return {
    put: (address) => {
      const old = view.addresses.get(addressKey(address));
      const { linkIndex } = address;
      return recorder.record(
        old === undefined
          ? { do: 'removeAddress', linkIndex, address: address.address }
          : { do: 'putAddress', address: newAddress(old) },
        () => addresses.put(address),
      );
    },
    remove: (linkIndex, address) => {
      const old = view.addresses.get(addressKey({ linkIndex, address }));
      return recorder.takeAway(
        { do: 'removeAddress', linkIndex, address },
        old === undefined ? undefined : addressBefore(old, seen),
        () => addresses.remove(linkIndex, address),
      );
    },
    announce: (linkIndex, address) => addresses.announce(linkIndex, address),
  };
}

function journalledRoutes({ kernel, recorder, seen }: Parts): KernelRoutes {
  const { routes } = kernel;
  return {
    put: (route) => {
      const old = presentRoute(kernel, route);
      const entry = old === undefined || seen.isOurRoute(old) ? undefined : ({ do: 'putRoute', route: old } as const);
      return recorder.record(entry ?? { do: 'removeRoute', route }, () => routes.put(route));
    },
    remove: (route) => {
      const old = presentRoute(kernel, route);
      const before: JournalEntry | undefined = old === undefined ? undefined : { do: 'putRoute', route: old };
      const ours = findMadeRoute(recorder.entries, old ?? route) ?? { do: 'removeRoute', route };
      return recorder.takeAway(ours, before, () => routes.remove(route));
    },
  };
}

function journalledRules({ kernel: { rules }, recorder }: Parts): KernelRules {
  return {
    add: (rule) => recorder.record({ do: 'removeRule', rule }, () => rules.add(rule)),
    remove: (rule) => recorder.takeAway({ do: 'removeRule', rule }, { do: 'addRule', rule }, () => rules.remove(rule)),
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
