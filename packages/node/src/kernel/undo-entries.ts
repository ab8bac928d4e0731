import { errorText, type Logger } from '@bloomery/ports';
import { type JournalEntry, type LinkBefore, restoringChange } from './journal-entry.ts';
import type { Kernel, KernelLink, KernelRoute } from './kernel.ts';
import { refusalErrno } from './kernel-error.ts';
import { addressKey, routeKey } from './kernel-keys.ts';

/** What the kernel says of things that are gone, or are there again. */
const NO_PROBLEM: ReadonlySet<string> = new Set([...['ENODEV', 'ENXIO', 'EADDRNOTAVAIL', 'ESRCH', 'ENOENT', 'EEXIST']]);

/** Undo entries in this order. @returns what could not be undone, and why */
export async function undoEntries(
  kernel: Kernel,
  entries: readonly JournalEntry[],
  log: Logger,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const attempt = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      if (NO_PROBLEM.has(refusalErrno(error) ?? '')) return;
      problems.push(errorText(error));
    }
  };
  const addresses = entries.filter((entry) => entry.do === 'putAddress');
  const routes = entries.filter((entry) => entry.do === 'putRoute');
  const first = entries.filter(({ do: what }) => what !== 'putAddress' && what !== 'putRoute');
  // Addresses come back when their links are what they were, routes when all addresses are there.
  for (const entry of [...first, ...addresses, ...routes]) await undoEntry(kernel, entry, attempt);
  for (const entry of addresses) await putMissing(kernel, entry.routes ?? [], attempt);
  log.info('kernel.undone', { entries: entries.length, problems: problems.length });
  return problems;
}

type Attempt = (act: () => Promise<void>) => Promise<void>;

async function undoEntry(kernel: Kernel, entry: JournalEntry, attempt: Attempt): Promise<void> {
  switch (entry.do) {
    case 'makeLink':
      return;
    case 'removeLink': {
      // Entries of links that went are forgotten; it is looked at all the same before a link is removed.
      const link = kernel.view.links.get(entry.index);
      if (link !== undefined && link.kind !== '') await attempt(() => kernel.links.remove(entry.index));
      return;
    }
    case 'restoreLink':
      return restoreLink(kernel, entry.index, entry.before, attempt);
    case 'removeAddress':
      return attempt(() => kernel.addresses.remove(entry.linkIndex, entry.address));
    case 'putAddress':
      return attempt(() => kernel.addresses.put(entry.address));
    case 'removeRoute':
      return attempt(() => kernel.routes.remove(entry.route));
    case 'putRoute':
      return attempt(() => kernel.routes.put(entry.route));
    case 'removeRule':
      return attempt(() => kernel.rules.remove(entry.rule));
    default:
      return attempt(() => kernel.rules.add(entry.rule));
  }
}

/** One setting after the other, so that one that is refused does not keep the others. Up or down comes last. */
async function restoreLink(kernel: Kernel, index: number, before: LinkBefore, attempt: Attempt): Promise<void> {
  const { view, links } = kernel;
  const now = (): KernelLink | undefined => view.links.get(index);
  const isUp = (): boolean => ((now()?.flags ?? 0) & IFF_UP) !== 0;
  const { masterIndex, ethernet, up = isUp() } = before;
  if (masterIndex !== undefined && masterIndex !== now()?.masterIndex)
    await attempt(() => links.change(index, { masterIndex }));
  const released = now();
  if (released === undefined) return;
  const settings = restoringChange(released, before);
  // Some cards and kernels take a name or an address only while the link is down.
  const needsDown = ['name', 'hardwareAddr', 'bond'].some((setting) => Object.hasOwn(settings, setting));
  if (needsDown && isUp()) await attempt(() => links.change(index, { up: false }));
  for (const [setting, value] of Object.entries(settings))
    await attempt(() => links.change(index, { [setting]: value }));
  if (ethernet !== undefined) await attempt(() => kernel.ethernet.change(now() ?? released, ethernet));
  if (up !== isUp()) await attempt(() => links.change(index, { up }));
  if (up) await restoreLost(kernel, before, attempt);
}

/** What the kernel dropped while the link was down. */
async function restoreLost({ view, addresses, routes }: Kernel, before: LinkBefore, attempt: Attempt): Promise<void> {
  for (const address of before.addresses ?? [])
    if (!view.addresses.has(addressKey(address))) await attempt(() => addresses.put(address));
  await putMissing({ view, routes }, before.routes ?? [], attempt);
}

async function putMissing(
  { view, routes }: Pick<Kernel, 'view' | 'routes'>,
  wanted: readonly KernelRoute[],
  attempt: Attempt,
): Promise<void> {
  for (const route of wanted) if (!view.routes.has(routeKey(route))) await attempt(() => routes.put(route));
}

const IFF_UP = 0x1;
