import type { Resource } from '@bloomery/cosi';
import type { LinkStatus } from '../resources/links.ts';

/** A link under the name that is looked for: by its kernel name, IFLA_IFALIAS, or one of its alternative names. */
export interface NamedLink {
  readonly name: string;
  readonly by: 'name' | 'alias' | 'altName';
}

/** Names in the configuration as the kernel knows them. */
export interface LinkNames {
  /** The kernel's name of a link, alias or alternative name. A name that no link has is returned as it is. */
  resolve(name: string): string;
  /** Which link it is and why; undefined: there is none. */
  find(name: string): NamedLink | undefined;
}

type NamesOfLink = Pick<LinkStatus, 'alias' | 'altNames'>;

/** Every name of a link, the kernel's first. */
export function allLinkNames(link: Resource<NamesOfLink>): readonly string[] {
  const { alias, altNames } = link.spec;
  return [link.metadata.id, ...(alias === '' ? [] : [alias]), ...altNames];
}

/** Look names up among these links (LinkStatus). Kernel names go before aliases, aliases before alternative names. */
export function linkNames(links: readonly Resource<NamesOfLink>[]): LinkNames {
  const known = new Map<string, NamedLink>();
  for (const { metadata, spec } of links) {
    for (const altName of spec.altNames) known.set(altName, { name: metadata.id, by: 'altName' });
  }
  for (const { metadata, spec } of links) {
    if (spec.alias !== '') known.set(spec.alias, { name: metadata.id, by: 'alias' });
  }
  for (const { metadata } of links) known.set(metadata.id, { name: metadata.id, by: 'name' });
  return {
    resolve: (name) => known.get(name)?.name ?? name,
    find: (name) => known.get(name),
  };
}
