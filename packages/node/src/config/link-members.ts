import { isLegacy, type LocatedDocument, mapAt, mapsAt, textAt, textsAt } from '@bloomery/talos';

/** A link that is made a member of another one, and where. */
export interface LinkMember {
  readonly member: string;
  readonly master: string;
  /** `machine.network.interfaces.0.bond.interfaces.1, line 9` */
  readonly place: string;
  readonly isLegacy: boolean;
}

/** Kinds of documents whose `links` become their members. */
const MASTERS = ['BondConfig', 'BridgeConfig', 'VRFConfig'];

/** All members by name, in the order in which they are written. Selectors are not looked at: nobody knows yet what they match. */
export function linkMembers(documents: readonly LocatedDocument[]): LinkMember[] {
  return documents.flatMap((document) => {
    if (isLegacy(document)) return legacyMembers(document);
    if (!MASTERS.includes(document.kind)) return [];
    return membersOf(document, document.name, { path: 'links', names: textsAt(document.tree, 'links') });
  });
}

function legacyMembers(document: LocatedDocument): LinkMember[] {
  return mapsAt(mapAt(document.tree, 'machine', 'network'), 'interfaces').flatMap((device, at) =>
    ['bond', 'bridge'].flatMap((part) => {
      const path = `machine.network.interfaces.${at}.${part}.interfaces`;
      return membersOf(document, textAt(device, 'interface'), {
        path,
        names: textsAt(mapAt(device, part), 'interfaces'),
      });
    }),
  );
}

interface Names {
  readonly path: string;
  readonly names: readonly string[];
}

function membersOf(document: LocatedDocument, master: string, { path, names }: Names): LinkMember[] {
  return names.map((member, at) => {
    const place = `${path}.${at}, line ${document.lineOf(`${path}.${at}`)}`;
    return { member, master, place, isLegacy: isLegacy(document) };
  });
}

/**
 * Links that are members of two others, where Talos does not refuse it: the last one wins, and documents of their own come after the
 * v1alpha1 document wherever that stands. Both places are named.
 */
export function memberWarnings(documents: readonly LocatedDocument[]): string[] {
  const known = new Map<string, LinkMember>();
  const members = linkMembers(documents).toSorted((a, b) => Number(b.isLegacy) - Number(a.isLegacy));
  return members.flatMap((found) => {
    const other = known.get(found.member);
    known.set(found.member, found);
    if (other === undefined || other.master === found.master || (other.isLegacy && found.isLegacy)) return [];
    const both = `${JSON.stringify(other.master)} (${other.place}) and ${JSON.stringify(found.master)} (${found.place})`;
    return [`link ${JSON.stringify(found.member)} is a member of two links, and the last one wins: ${both}`];
  });
}
