import type { KernelLink, KernelView } from './kernel.ts';

/** The other end of a veth. The index of one in another network namespace means nothing here: ends here name each other. */
export function otherEnd(link: KernelLink, links: KernelView['links']): KernelLink | undefined {
  const other = link.kind === 'veth' ? links.get(link.linkIndex) : undefined;
  return other?.kind === 'veth' && other.linkIndex === link.index ? other : undefined;
}
