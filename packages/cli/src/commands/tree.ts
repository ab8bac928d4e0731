import { findCondition, type ObjectClient } from '@bloomery/kube';
import {
  cluster,
  type JsonObject,
  type KubeObject,
  LABELS,
  machine,
  metalCluster,
  metalMachine,
  server,
  serverBinding,
  talosConfig,
} from '@bloomery/model';
import type { ExplainedObject } from '@bloomery/plane';
import { tableText } from '../output/table.ts';
import type { Session } from '../session.ts';

interface TreeNode {
  readonly object: ExplainedObject;
  readonly children: readonly TreeNode[];
}

/** `bloomery tree CLUSTER`: a cluster's objects down to its servers; the deepest ones that wait are marked. */
export async function tree(session: Session, name: string): Promise<void> {
  const { client, namespace, deps } = session;
  const root = await client.get(cluster, { name, namespace });
  const nodes = await clusterTree(client, root);
  const rows = treeRows(nodes, '', '');
  deps.stdout.write(tableText(['NAME', 'PHASE', 'READY', 'WAITING-FOR'], rows));
}

async function clusterTree(client: ObjectClient, root: KubeObject): Promise<TreeNode> {
  const { name, namespace = 'default' } = root.metadata;
  const labels = `${LABELS.clusterName}=${name}`;
  const [infrastructure, machines, metalMachines, configs, bindings, servers] = await Promise.all([
    client.list(metalCluster, { namespace }),
    client.list(machine, { namespace, labels }),
    client.list(metalMachine, { namespace }),
    client.list(talosConfig, { namespace }),
    client.list(serverBinding),
    client.list(server),
  ]);
  const serverOf = (owner: KubeObject): TreeNode[] => {
    const binding = bindings.items.find(({ spec }) => {
      return spec?.metalMachineRef.name === owner.metadata.name && spec.metalMachineRef.namespace === namespace;
    });
    return servers.items.filter((s) => s.metadata.name === binding?.metadata.name).map((s) => leaf(s));
  };
  const machineNodes = machines.items.map((item): TreeNode => {
    const { infrastructureRef, bootstrap } = item.spec ?? {};
    const own = metalMachines.items.filter((m) => m.metadata.name === infrastructureRef?.name);
    const config = configs.items.filter((c) => c.metadata.name === bootstrap?.configRef?.name);
    return {
      object: item,
      children: [...config.map((c) => leaf(c)), ...own.map((m) => ({ object: m, children: serverOf(m) }))],
    };
  });
  const own = infrastructure.items.filter((item) => {
    return item.metadata.name === name || item.metadata.ownerReferences?.some((ref) => ref.name === name) === true;
  });
  return { object: root, children: [...own.map((item) => leaf(item)), ...machineNodes] };
}

function leaf(object: ExplainedObject): TreeNode {
  return { object, children: [] };
}

function treeRows(node: TreeNode, lead: string, rest: string): readonly (readonly string[])[] {
  const { object, children } = node;
  const below = children.flatMap((child, i) => {
    const isLast = i === children.length - 1;
    return treeRows(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`);
  });
  const { phase, waitingFor, conditions } = object.status ?? {};
  const ready = findCondition(conditions, 'Ready');
  const isRoot = (waitingFor !== undefined || ready?.status === 'False') && !children.some(isWaiting);
  const waiting = waitingFor ?? (ready?.status === 'False' ? ready.reason : undefined) ?? '-';
  const row = [
    `${lead}${object.kind}/${object.metadata.name}`,
    phase ?? '-',
    ready?.status ?? readyField(object),
    isRoot ? `${waiting}  <- cause` : waiting,
  ];
  return [row, ...below];
}

function isWaiting({ object, children }: TreeNode): boolean {
  const { waitingFor, conditions } = object.status ?? {};
  return waitingFor !== undefined || findCondition(conditions, 'Ready')?.status === 'False' || children.some(isWaiting);
}

function readyField(object: ExplainedObject): string {
  const { ready } = (object.status ?? {}) as JsonObject;
  return typeof ready === 'boolean' ? (ready ? 'True' : 'False') : '-';
}
