import type { JsonObject, ServerClass } from '@bloomery/model';
import { ANY_SERVER_CLASS, isJsonObject, labelSelectorText } from '@bloomery/model';
import type { ClassMembers } from './membership-index.ts';

type Status = NonNullable<ServerClass['status']>;

/** The status that a class should have. Lists are sorted bytewise; with a problem they stay as they were. */
export function planClassStatus(serverClass: ServerClass, { members, problem }: ClassMembers): Status {
  const selector = selectorText(serverClass.spec);
  if (problem !== undefined) {
    const before = serverClass.status;
    return {
      ...before,
      serversAvailable: before?.serversAvailable ?? [],
      serversInUse: before?.serversInUse ?? [],
      selector,
      problem,
    };
  }
  const namesIn = (...states: readonly string[]): readonly string[] =>
    [...members].flatMap(([name, state]) => (states.includes(state) ? [name] : [])).sort();
  const serversAvailable = namesIn('clean', 'dirty');
  const serversInUse = namesIn('inUse');
  return {
    serversAvailable,
    serversInUse,
    availableCount: serversAvailable.length,
    inUseCount: serversInUse.length,
    totalCount: members.size,
    cleanCount: namesIn('clean').length,
    selector,
  };
}

/** What puts the class `any` right, whose qualifiers are always empty; undefined when nothing is to do. */
export function planAnyClass(serverClass: ServerClass): JsonObject | undefined {
  if (serverClass.metadata.name !== ANY_SERVER_CLASS) return undefined;
  const qualifiers = serverClass.spec?.qualifiers;
  if (isJsonObject(qualifiers) && Object.keys(qualifiers).length === 0) return undefined;
  return { spec: { qualifiers: { hardware: null, labelSelectors: null } } };
}

/** What a class asks for, in one line for the SELECTOR column. */
function selectorText(spec: ServerClass['spec']): string {
  const labels = labelSelectorText(spec?.selector);
  const hardware = spec?.qualifiers?.hardware?.length ?? 0;
  const pairs = (spec?.qualifiers?.labelSelectors ?? []).flatMap((m) => Object.entries(m).map(([k, v]) => `${k}=${v}`));
  const parts = [
    ...(labels === '' ? [] : [labels]),
    ...(hardware === 0 ? [] : [`${hardware} hardware ${hardware === 1 ? 'qualifier' : 'qualifiers'}`]),
    ...(pairs.length === 0 ? [] : [`any of ${pairs.sort().join(' ')}`]),
  ];
  return parts.length === 0 ? '*' : parts.join('; ');
}
