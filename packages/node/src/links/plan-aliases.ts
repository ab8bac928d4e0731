import type { Resource } from '@bloomery/cosi';
import { errorText } from '@bloomery/ports';
import type { NodeDocument } from '../config/node-config.ts';
import { asRecord, asText } from '../config/plain-value.ts';
import type { LinkStatus } from '../resources/links.ts';
import { isPhysicalLink } from './default-dhcp.ts';
import { type LinkExpressions, macBytes } from './link-expression.ts';

export interface AliasPlan {
  /** Alias by the kernel's name of the link. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Documents, with their lines, that give no alias, and why. */
  readonly warnings: readonly string[];
}

/** Whether a document gives aliases to links. */
export const isAliasDocument = ({ kind }: NodeDocument): boolean => kind === 'LinkAliasConfig';

/**
 * Which alias each physical link gets of the LinkAliasConfig documents: these by name, links by the bytes of their permanent address
 * (or their address). A fixed name is for exactly one link; in a name with `%d` its links are numbered from 0. A link keeps the first.
 *
 * @see spec/node.md section 5
 */
export function planAliases(
  documents: readonly NodeDocument[],
  links: readonly Resource<LinkStatus>[],
  matches: LinkExpressions,
): AliasPlan {
  const hardware = links.filter(({ spec }) => isPhysicalLink(spec)).toSorted(compareAddresses);
  const aliases = new Map<string, string>();
  const warnings: string[] = [];
  for (const document of documents.filter(isAliasDocument).toSorted(compareNames)) {
    const { name = '', line } = document;
    const warn = (why: string): void => void warnings.push(`LinkAliasConfig ${name}, line ${line}: ${why}`);
    const found = select(document, hardware, matches, warn);
    const isPattern = name.includes('%');
    if (found.length > 1 && !isPattern) {
      warn(`matches ${found.join(', ')}, but its name is for one link: no link gets it`);
      continue;
    }
    const free = found.filter((link) => !aliases.has(link));
    for (const link of found.filter((one) => aliases.has(one))) warn(`link ${link} already is ${aliases.get(link)}`);
    for (const [number, link] of free.entries()) aliases.set(link, isPattern ? name.replace('%d', `${number}`) : name);
  }
  return { aliases, warnings };
}

function select(
  { value }: NodeDocument,
  hardware: readonly Resource<LinkStatus>[],
  matches: LinkExpressions,
  warn: (why: string) => void,
): readonly string[] {
  const expression = asText(asRecord(value['selector'])?.['match']);
  try {
    return hardware.filter(({ spec }) => matches(expression, spec)).map(({ metadata }) => metadata.id);
  } catch (error) {
    warn(`its selector cannot be evaluated: ${errorText(error).split('\n', 1)[0]}`);
    return [];
  }
}

const compareNames = (a: NodeDocument, b: NodeDocument): number =>
  Buffer.compare(Buffer.from(a.name ?? ''), Buffer.from(b.name ?? ''));

function compareAddresses(a: Resource<LinkStatus>, b: Resource<LinkStatus>): number {
  const [first, second] = [a, b].map(({ spec }) => macBytes(spec.permanentAddr || spec.hardwareAddr));
  return Buffer.compare(first ?? Buffer.alloc(0), second ?? Buffer.alloc(0));
}
