import { isJsonObject, type Json } from '@bloomery/model';
import { isPathElement } from './path-element.ts';

/**
 * A set of field paths as a tree. `owned` says that the path that leads here is a member itself; the root never is.
 * Keys of `children` are FieldsV1 path elements: `f:name`, `k:{...}`, `v:...`.
 */
export interface FieldSet {
  readonly owned: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

/** The set without members. */
export const EMPTY_SET: FieldSet = { owned: false, children: new Map() };

/** Deeper FieldsV1 trees are refused: no schema nests that far, and it bounds the recursion. */
const MAX_DEPTH = 200;

/** Whether nothing is a member. */
export function isEmptySet(set: FieldSet): boolean {
  return !set.owned && set.children.size === 0;
}

/** A set being collected. */
export class FieldSetBuilder implements FieldSet {
  owned = false;
  readonly children = new Map<string, FieldSetBuilder>();

  /** Make a path a member. */
  insert(path: readonly string[]): void {
    let node: FieldSetBuilder = this;
    for (const element of path) node = node.child(element);
    if (node !== this) node.owned = true;
  }

  /** What is below an element, made when it is not there. */
  child(element: string): FieldSetBuilder {
    let child = this.children.get(element);
    if (child === undefined) {
      child = new FieldSetBuilder();
      this.children.set(element, child);
    }
    return child;
  }
}

/** Members of either. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const own = children.get(element);
    children.set(element, own === undefined ? child : unionOf(own, child));
  }
  return { owned: a.owned || b.owned, children };
}

/** Members of both. */
export function intersectionOf(a: FieldSet, b: FieldSet): FieldSet {
  return combined(a, a.owned && b.owned, (element, child) => {
    const other = b.children.get(element);
    return other === undefined ? EMPTY_SET : intersectionOf(child, other);
  });
}

/** Members of the first that are not of the second. */
export function differenceOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  return combined(a, a.owned && !b.owned, (element, child) => {
    const other = b.children.get(element);
    return other === undefined ? child : differenceOf(child, other);
  });
}

/** The set with only some of the elements directly below the root. */
export function keepRootElements(set: FieldSet, keep: (element: string) => boolean): FieldSet {
  return combined(set, set.owned, (element, child) => (keep(element) ? child : EMPTY_SET));
}

function combined(a: FieldSet, owned: boolean, map: (element: string, child: FieldSet) => FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const next = map(element, child);
    if (!isEmptySet(next)) children.set(element, next);
  }
  return { owned, children };
}

/** All member paths, sorted by element: at each level the members themselves before what is below the elements. */
export function pathsOf(set: FieldSet): readonly (readonly string[])[] {
  const paths: (readonly string[])[] = [];
  const walk = (node: FieldSet, path: readonly string[]): void => {
    const children = sorted(node);
    for (const [element, child] of children) if (child.owned) paths.push([...path, element]);
    for (const [element, child] of children) walk(child, [...path, element]);
  };
  walk(set, []);
  return paths;
}

function sorted(set: FieldSet): readonly (readonly [string, FieldSet])[] {
  return [...set.children].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The JSON text of the FieldsV1 form. */
export function fieldsV1Text(set: FieldSet): string {
  if (set.children.size === 0) return '{}';
  let text = set.owned ? '{".":{}' : '';
  for (const element of [...set.children.keys()].sort()) {
    const child = set.children.get(element);
    if (child !== undefined) text += `${text === '' ? '{' : ','}${JSON.stringify(element)}:${fieldsV1Text(child)}`;
  }
  return `${text}}`;
}

/** Read the FieldsV1 form; undefined when it is malformed. */
export function parseFieldsV1(value: Json | undefined): FieldSet | undefined {
  if (value === undefined || value === null) return EMPTY_SET;
  const children = parseChildren(value, 0);
  return children === undefined ? undefined : { owned: false, children };
}

function parseChildren(value: Json, depth: number): Map<string, FieldSet> | undefined {
  if (!isJsonObject(value) || depth > MAX_DEPTH) return undefined;
  const children = new Map<string, FieldSet>();
  for (const [element, below] of Object.entries(value)) {
    if (element === '.') continue;
    if (!isPathElement(element) || !isJsonObject(below)) return undefined;
    const inner = parseChildren(below, depth + 1);
    if (inner === undefined) return undefined;
    children.set(element, { owned: inner.size === 0 || Object.hasOwn(below, '.'), children: inner });
  }
  return children;
}
