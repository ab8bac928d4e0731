import type { Node } from '@bloomery/model';
import { sameNode, trimNode } from './trim-node.ts';

/** The Nodes of one workload cluster as the last watch event left them, found by provider id. */
export interface NodeTable {
  /** By name; undefined until they were listed once. */
  list(): readonly Node[] | undefined;
  withProviderId(providerId: string): readonly Node[];
  /** Hold exactly these. */
  replace(nodes: readonly Node[]): void;
  put(node: Node): void;
  remove(node: Node): void;
  /** As if they had never been listed. */
  forget(): void;
}

/** @param changed told of each Node that says something else than before, or is gone */
export function createNodeTable(changed: (node: Node) => void): NodeTable {
  let nodes: Map<string, Node> | undefined;
  let sorted: readonly Node[] | undefined;
  let byProviderId: ReadonlyMap<string, readonly Node[]> | undefined;

  const put = (found: Node): void => {
    const next = trimNode(found);
    nodes ??= new Map();
    const before = nodes.get(next.metadata.name);
    nodes.set(next.metadata.name, next);
    sorted = byProviderId = undefined;
    // The newer one is kept for its resource version, but that alone is no news.
    if (before === undefined || !sameNode(before, next)) changed(next);
  };
  const remove = ({ metadata: { name } }: Node): void => {
    const before = nodes?.get(name);
    if (before === undefined) return;
    nodes?.delete(name);
    sorted = byProviderId = undefined;
    changed(before);
  };
  return {
    list() {
      sorted ??= nodes && [...nodes.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      return sorted;
    },
    withProviderId(providerId) {
      byProviderId ??= Map.groupBy(nodes?.values() ?? [], ({ spec }) => spec?.providerID ?? '');
      return providerId === '' ? [] : (byProviderId.get(providerId) ?? []);
    },
    replace(found) {
      nodes ??= new Map();
      const names = new Set(found.map(({ metadata }) => metadata.name));
      for (const node of [...nodes.values()]) if (!names.has(node.metadata.name)) remove(node);
      for (const node of found) put(node);
    },
    put,
    remove,
    forget() {
      const before = [...(nodes?.values() ?? [])];
      nodes = sorted = byProviderId = undefined;
      for (const node of before) changed(node);
    },
  };
}
