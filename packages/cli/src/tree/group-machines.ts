import { machine } from '@bloomery/model';
import type { TreeNode } from './cluster-tree.ts';

const NAMES_SHOWN = 5;

/** Machines beside each other that are in the same state, with all below them, as one line. Pure. */
export function groupMachines(item: TreeNode): TreeNode {
  const children = item.children.map(groupMachines);
  const alike = Map.groupBy(children, (child) => (child.kind === machine.kind ? signature(child) : child));
  return { ...item, children: [...alike.values()].map((nodes) => asOne(nodes)) };
}

/** Everything that is told about a node and what is below it, but names and times. */
function signature({ kind, state, children }: TreeNode): string {
  const { ready, severity, reason } = state;
  return JSON.stringify([kind, ready, severity, reason, children.map(signature)]);
}

function asOne(nodes: readonly TreeNode[]): TreeNode {
  const [first, ...others] = nodes as readonly [TreeNode, ...TreeNode[]];
  if (others.length === 0) return first;
  const deepest = deepestCause(first) ?? first;
  const since = nodes.map(({ state }) => state.since).sort()[0] ?? '';
  return {
    kind: first.kind,
    name: `${nodes.length} Machines...`,
    state: { ...first.state, reason: deepest.state.reason, message: deepest.state.message, since },
    conditions: [],
    note: `see ${namesOf(nodes)}`,
    isCause: nodes.some((item) => deepestCause(item) !== undefined),
    children: [],
  };
}

function deepestCause(item: TreeNode): TreeNode | undefined {
  for (const child of item.children) {
    const found = deepestCause(child);
    if (found !== undefined) return found;
  }
  return item.isCause ? item : undefined;
}

function namesOf(nodes: readonly TreeNode[]): string {
  const names = nodes.slice(0, NAMES_SHOWN).map(({ name }) => name);
  const more = nodes.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
