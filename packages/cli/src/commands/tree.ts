import { findObject } from '@bloomery/kube';
import { cluster, type KubeObject, type Machine, machine } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { dataText, type FormatOptions, formatOf } from '../output/format.ts';
import { didYouMean } from '../resolve-kind.ts';
import type { Session } from '../session.ts';
import { suggest } from '../suggest.ts';
import { type ClusterObjects, readClusterObjects, type TreeObject } from '../tree/cluster-objects.ts';
import { clusterTree, machineTree, type TreeNode } from '../tree/cluster-tree.ts';
import { groupMachines } from '../tree/group-machines.ts';
import { treeText } from '../tree/tree-text.ts';

/** Options of `bloomery tree`, and of `bloomery describe` of a Cluster. */
export interface TreeOptions extends FormatOptions {
  readonly showConditions?: string;
  /** Whether machines in the same state share a line; true unless `--grouping=false`. */
  readonly grouping?: boolean | string;
}

/**
 * `bloomery tree CLUSTER`: a cluster's objects down to its servers, of any kind that is named in references; what explains a wait
 * is marked. A Machine's name shows its part of the tree.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN
 */
export async function tree(session: Session, name: string, options: TreeOptions = {}): Promise<void> {
  const format = formatOf(options);
  const { stdout, stderr } = session.deps;
  const { root, objects } = await readTree(session, name);
  if (format === 'json' || format === 'yaml') {
    const { name: clusterName, namespace } = objects.cluster.metadata;
    const head = { apiVersion: 'cli.bloomery.dev/v1', kind: 'ClusterTree', cluster: clusterName, namespace };
    stdout.write(await dataText({ ...head, root }, format));
    return;
  }
  stdout.write(textOf(session, root, options));
  const hidden = [...new Set(objects.hidden)];
  if (hidden.length > 0) stderr.write(`Not shown, you may not list them: ${hidden.join(', ')}.\n`);
}

/** The tree of a Cluster or Machine as text, for `bloomery describe`; undefined of other kinds, and of a Machine without Cluster. */
export async function treeTextOf(
  session: Session,
  found: KubeObject,
  options: TreeOptions = {},
): Promise<string | undefined> {
  if (found.kind === cluster.kind) {
    return textOf(session, clusterTree(await readClusterObjects(session, found as TreeObject)), options);
  }
  if (found.kind !== machine.kind) return undefined;
  const { namespace = session.namespace } = found.metadata;
  const name = (found as Machine).spec?.clusterName ?? '';
  const owner = await findObject(session.client, cluster, { name, namespace });
  if (owner === undefined) return undefined;
  const objects = await readClusterObjects(session, owner as TreeObject);
  return textOf(session, machineTree(found as TreeObject, objects), options);
}

function textOf({ deps }: Session, root: TreeNode, { showConditions, grouping = true }: TreeOptions): string {
  const isGrouped = grouping !== false && grouping !== 'false';
  return treeText(isGrouped ? groupMachines(root) : root, {
    nowMs: deps.clock.nowMs(),
    ...(showConditions === undefined ? {} : { showConditions }),
  });
}

async function readTree(
  session: Session,
  text: string,
): Promise<{ readonly root: TreeNode; readonly objects: ClusterObjects }> {
  const { client, namespace } = session;
  const [, kind, name = ''] = /^(?:(cluster|clusters|cl|machine|machines|ma)\/)?(.*)$/i.exec(text) ?? [];
  const isMachine = kind?.toLowerCase().startsWith('ma') === true;
  const found = isMachine ? undefined : await findObject(client, cluster, { name, namespace });
  if (found !== undefined) {
    const objects = await readClusterObjects(session, found as TreeObject);
    return { root: clusterTree(objects), objects };
  }
  const member = kind === undefined || isMachine ? await findObject(client, machine, { name, namespace }) : undefined;
  const owner = member && (await findObject(client, cluster, { name: member.spec?.clusterName ?? '', namespace }));
  if (member === undefined || owner === undefined) throw await unknown(session, name, isMachine);
  const objects = await readClusterObjects(session, owner as TreeObject);
  return { root: machineTree(member as TreeObject, objects), objects };
}

async function unknown({ client, namespace }: Session, name: string, isMachine: boolean): Promise<BloomeryError> {
  const { items } = await client.list<KubeObject>(isMachine ? machine : cluster, { namespace });
  const near = suggest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const what = isMachine ? 'machine of a cluster' : 'cluster or machine';
  const message = `no ${what} in namespace ${namespace} is called ${JSON.stringify(name)}${didYouMean(near)}`;
  return new BloomeryError('BLM_CLI_NAME_UNKNOWN', message, { facts: { try: 'bloomery get clusters -A' } });
}
