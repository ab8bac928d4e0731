import type { PredictableNames } from './predictable-names.ts';

/** Longest name of an interface in bytes. */
const MAX_NAME_BYTES = 15;
const MAX_ALTERNATIVE_BYTES = 127;

/** Of name_assign_type: how an interface came by its name. */
const NAMED_BY_KERNEL_FOR_GOOD = 2;
const NAMED_BY_USER = 3;
const RENAMED = 4;

/** What becomes of the name of an interface. */
export type NameChoice =
  | { readonly do: 'keep'; readonly reason: 'NamedByUser' | 'KernelPredictable' | 'NoNames' | 'Disabled' }
  | { readonly do: 'rename'; readonly name: string };

/**
 * The policy `keep kernel database onboard slot path mac`: names that somebody gave stay, else the first that the kernel takes.
 *
 * @param nameAssignType Number of the kernel; undefined where it does not tell
 */
export function chooseName(
  names: PredictableNames,
  nameAssignType: number | undefined,
  isEnabled: boolean,
): NameChoice {
  if (!isEnabled) return { do: 'keep', reason: 'Disabled' };
  if (nameAssignType === NAMED_BY_USER || nameAssignType === RENAMED) return { do: 'keep', reason: 'NamedByUser' };
  if (nameAssignType === NAMED_BY_KERNEL_FOR_GOOD) return { do: 'keep', reason: 'KernelPredictable' };
  const name = inOrder(names).find((candidate) => isName(candidate, MAX_NAME_BYTES));
  return name === undefined ? { do: 'keep', reason: 'NoNames' } : { do: 'rename', name };
}

/** Under which further names an interface can be found, beside the one that it has. */
export function alternativeNames(names: PredictableNames, name: string): readonly string[] {
  const candidates = new Set(inOrder(names).filter((candidate) => isName(candidate, MAX_ALTERNATIVE_BYTES)));
  candidates.delete(name);
  return [...candidates];
}

function inOrder({ onboard, slot, path, mac }: PredictableNames): readonly string[] {
  return [onboard, slot, path, mac].filter((name) => name !== undefined);
}

/** Whether the kernel and its settings by interface take a name. */
function isName(text: string, maxBytes: number): boolean {
  if (Buffer.byteLength(text) > maxBytes || !/^[!-~]+$/.test(text)) return false;
  return !/[/:%]/.test(text) && !/^(?:\.|\.\.|all|default|[0-9]+)$/.test(text);
}
