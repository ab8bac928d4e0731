import { isJsonObject, type Json, stringifyJson } from '@bloomery/model';

/** The name that stands for a value which differs from run to run (`UID0`): the same for the same value. */
export function named(known: Map<string, string>, real: string, prefix: string): string {
  const name = known.get(real) ?? `${prefix}${known.size}`;
  known.set(real, name);
  return name;
}

/** What tells an entry of managedFields from others, as text: entries of one second have no order of their own. */
export function entryKey(entry: Json): string {
  if (!isJsonObject(entry)) return '';
  const { operation = '', manager = '', subresource = '', apiVersion = '' } = entry;
  return stringifyJson([operation, manager, subresource, apiVersion]);
}
