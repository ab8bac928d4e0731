/** Whether two values of specs are deeply equal: data of texts, numbers, booleans, bytes, lists and records. */
export function equalValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Number.isNaN(a) && Number.isNaN(b);
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && equalLists(a, b);
  return equalRecords(a, b);
}

function equalLists(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!equalValue(a[i], b[i])) return false;
  return true;
}

/** A key that is not there equals one that is undefined. */
function equalRecords(a: object, b: object): boolean {
  for (const key of Object.keys(a)) if (!equalValue(own(a, key), own(b, key))) return false;
  for (const key of Object.keys(b)) if (own(b, key) !== undefined && own(a, key) === undefined) return false;
  return true;
}

/** Keys may be those of every object (`constructor`): only its own count. */
function own(record: object, key: string): unknown {
  return Object.hasOwn(record, key) ? Reflect.get(record, key) : undefined;
}
