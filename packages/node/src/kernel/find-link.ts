import type { KernelLink, KernelView } from './kernel.ts';

/** The link of this name: by the kernel's own name, else by its alias, else by an alternative name. */
export function findLink(view: Pick<KernelView, 'links' | 'linkByName'>, name: string): KernelLink | undefined {
  if (name === '') return undefined;
  const own = view.linkByName(name);
  if (own !== undefined) return own;
  const links = [...view.links.values()];
  return links.find(({ alias }) => alias === name) ?? links.find(({ altNames }) => altNames.includes(name));
}
