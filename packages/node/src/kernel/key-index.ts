/** Sets of keys under something they have in common. */
export class KeyIndex<K> {
  readonly #sets = new Map<K, Set<string>>();

  add(of: K, key: string): void {
    const set = this.#sets.get(of);
    if (set === undefined) this.#sets.set(of, new Set([key]));
    else set.add(key);
  }

  delete(of: K, key: string): void {
    const set = this.#sets.get(of);
    if (set?.delete(key) === true && set.size === 0) this.#sets.delete(of);
  }

  has(of: K): boolean {
    return this.#sets.has(of);
  }

  get(of: K): Iterable<string> {
    return this.#sets.get(of) ?? [];
  }

  clear(): void {
    this.#sets.clear();
  }
}
