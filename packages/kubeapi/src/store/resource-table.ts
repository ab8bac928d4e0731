import type { ApiObject } from '../api-object.ts';
import { keyOfId } from './store.ts';

/** The live objects of one resource, in key order. */
export class ResourceTable {
  readonly #objects = new Map<string, ApiObject>();
  #sorted: string[] | undefined;
  /** What the last list of all gave: the pages of a list look at it one after the other. */
  #all: readonly ApiObject[] | undefined;

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): ApiObject | undefined {
    return this.#objects.get(key);
  }

  set(key: string, object: ApiObject): void {
    if (!this.#objects.has(key)) this.#sorted = undefined;
    this.#all = undefined;
    this.#objects.set(key, object);
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sorted = undefined;
    this.#all = undefined;
  }

  /** All objects, or those of one namespace, sorted by namespace and name. Stays as it is, whatever is written later. */
  list(namespace?: string): readonly ApiObject[] {
    if (namespace !== undefined) return this.#collect(namespace);
    this.#all ??= this.#collect(undefined);
    return this.#all;
  }

  #collect(namespace: string | undefined): ApiObject[] {
    this.#sorted ??= [...this.#objects.keys()].sort();
    const keys = this.#sorted;
    const prefix = namespace === undefined ? '' : keyOfId({ namespace, name: '' });
    const found: ApiObject[] = [];
    for (let i = prefix === '' ? 0 : lowerBound(keys, prefix); i < keys.length; i++) {
      const key = keys[i];
      if (key === undefined || !key.startsWith(prefix)) break;
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }
}

function lowerBound(keys: readonly string[], wanted: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
