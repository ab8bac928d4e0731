import type { Resource } from '@bloomery/cosi';
import { compareTexts } from '../layers/compare-texts.ts';
import type { LinkSpec } from '../resources/links.ts';

type SortKey = readonly [name: string, index: number, ownName: string];

/** In which order links are worked on: what goes away first, then by name, with the members of a bond or VRF right behind it. */
export function inLinkOrder(links: readonly Resource<LinkSpec>[]): readonly Resource<LinkSpec>[] {
  const byName = links.toSorted((a, b) => compareKeys(sortKey(a.spec), sortKey(b.spec)));
  const isLeaving = ({ metadata }: Resource<LinkSpec>): boolean => metadata.phase === 'tearingDown';
  return [...byName.filter(isLeaving), ...byName.filter((link) => !isLeaving(link))];
}

function sortKey({ name, bondSlave, bridgeSlave, vrfSlave }: LinkSpec): SortKey {
  if (bondSlave.masterName !== '') return [bondSlave.masterName, bondSlave.slaveIndex, name];
  const master = bridgeSlave.masterName || vrfSlave.masterName;
  return master === '' ? [name, 0, ''] : [master, 0, name];
}

function compareKeys(a: SortKey, b: SortKey): number {
  return compareTexts(a[0], b[0]) || a[1] - b[1] || compareTexts(a[2], b[2]);
}
