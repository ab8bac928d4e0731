import type { Resource } from '@bloomery/cosi';
import type { DeviceSelector } from '../config/node-config.ts';
import { compareTexts } from '../layers/compare-texts.ts';
import type { LinkStatus } from '../resources/links.ts';
import { isPhysicalLink } from './default-dhcp.ts';

/** What selectors look at. */
export type SelectableLink = Resource<
  Pick<LinkStatus, 'hardwareAddr' | 'permanentAddr' | 'pciID' | 'driver' | 'busPath' | 'type' | 'kind'>
>;

/** Keys that are globs, in the order in which they are compared. */
const GLOB_KEYS = ['hardwareAddr', 'permanentAddr', 'pciID', 'driver', 'busPath'] as const;

/**
 * Whether a pattern matches the whole text. Only `*` is special: it stands for any text, also none. Case matters. Takes no more than
 * pattern times text steps.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return pattern === text;
  const last = parts.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/**
 * Whether a link is meant by a selector: every key that is given must match. An empty selector means nothing.
 *
 * @see spec/node.md section 5
 */
export function matchesSelector(selector: DeviceSelector, { spec }: SelectableLink): boolean {
  const globs = GLOB_KEYS.flatMap((key) => (selector[key] ? [[selector[key], spec[key]] as const] : []));
  if (globs.length === 0 && selector.physical === undefined) return false;
  if (selector.physical !== undefined && selector.physical !== isPhysicalLink(spec)) return false;
  return globs.every(([pattern, text]) => matchesGlob(pattern, text));
}

/** Names of the links that a selector means, in the order of their names. */
export function selectLinks(selector: DeviceSelector, links: readonly SelectableLink[]): readonly string[] {
  return links
    .filter((link) => matchesSelector(selector, link))
    .map(({ metadata }) => metadata.id)
    .toSorted(compareTexts);
}

/**
 * Names of the links that become members of a bond or bridge, in the order of the selectors, each once. Only hardware is looked at:
 * a bond, its VLANs and its bridge carry the address of a member. For the same reason `hardwareAddr` is compared with the address that
 * the hardware was made with, where it has one: members of a bond all show the bond's. Only when that is nobody's, the addresses that
 * links have now are looked at, too: somebody may have given a link another one.
 */
export function selectMembers(
  selectors: readonly DeviceSelector[],
  links: readonly SelectableLink[],
): readonly string[] {
  const hardware = links.filter(({ spec }) => isPhysicalLink(spec));
  const asMade = hardware.map(withPermanentAddress);
  const members = selectors.flatMap((selector) => {
    const found = selectLinks(selector, asMade);
    return found.length > 0 ? found : selectLinks(selector, hardware);
  });
  return [...new Set(members)];
}

function withPermanentAddress({ metadata, spec }: SelectableLink): SelectableLink {
  return { metadata, spec: { ...spec, hardwareAddr: spec.permanentAddr || spec.hardwareAddr } };
}

/** A selector in words, for messages. */
export function selectorText(selector: DeviceSelector): string {
  const given = Object.entries(selector).filter(([, value]) => value !== undefined && value !== '');
  return given.map(([key, value]) => `${key}: ${value}`).join(', ');
}
