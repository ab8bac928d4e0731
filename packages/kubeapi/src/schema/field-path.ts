/** The path of a member: `spec` and `size` give `spec.size`, the root gives `size`. */
export function memberPath(path: string, member: string): string {
  return path === '' ? member : `${path}.${member}`;
}

/** The path of a list item: `spec.ports[0]`. */
export function itemPath(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** The own member of an object, or undefined: never one inherited from a prototype. */
export function ownMember<T>(object: { readonly [key: string]: T } | undefined, key: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}
