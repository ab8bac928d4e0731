import type { JsonObject, ObjectReference, ServerBinding } from '@bloomery/model';
import { CONSEQUENT_WAITS, isJsonObject, metalMachine, server, serverBinding } from '@bloomery/model';
import { type ClusterObjects, referenceId, referencesOf, type TreeObject } from './cluster-objects.ts';
import { conditionsOf, type ObjectState, type StatedCondition, stateOf } from './object-state.ts';

/** One line of the tree. */
export interface TreeNode {
  /** What the object is to its parent: `ControlPlane`, `BootstrapConfig`, …; absent for its kind alone. */
  readonly role?: string;
  readonly kind: string;
  readonly name: string;
  readonly state: ObjectState;
  readonly conditions: readonly StatedCondition[];
  /** For machines: phase, power, host name and the like. */
  readonly note?: string;
  /** Nothing below it, nor beside it, explains the wait better. */
  readonly isCause: boolean;
  readonly children: readonly TreeNode[];
}

const MISSING: ObjectState = {
  ready: 'False',
  severity: 'Error',
  reason: 'NotFound',
  message: 'it does not exist',
  since: '',
};
const NO_STATE: ObjectState = { ready: '', severity: '', reason: '', message: '', since: '' };

/**
 * The tree of a cluster: infrastructure; control plane with its machines; workers by MachineDeployment and MachineSet; health checks;
 * machines that nobody owns. Below each machine are its bootstrap config, its infrastructure and, for ours, the Server. Pure.
 */
export function clusterTree(objects: ClusterObjects): TreeNode {
  const { cluster, machines, machineSets, machineDeployments, machineHealthChecks } = objects;
  const owned = (owner: TreeObject): readonly TreeObject[] => machines.filter((m) => isOwnedBy(m, owner));
  const setNode = (set: TreeObject): TreeNode =>
    node(
      set,
      owned(set).map((m) => machineNode(m, objects)),
    );
  const { infrastructureRef, controlPlaneRef } = namedReferences(cluster);
  const controlPlane = controlPlaneRef && objects.referenced.get(referenceId(controlPlaneRef));
  const ofControlPlane = controlPlane === undefined ? [] : owned(controlPlane);
  const workers = [
    ...machineDeployments.map((deployment) => {
      const sets = machineSets.filter((set) => isOwnedBy(set, deployment) && isOfInterest(set, owned(set)));
      return node(deployment, sets.map(setNode));
    }),
    ...machineSets.filter((set) => !machineDeployments.some((d) => isOwnedBy(set, d))).map(setNode),
  ];
  const claimed = new Set([...ofControlPlane, ...machineSets.flatMap(owned)]);
  const children = [
    ...referenceNode(infrastructureRef, 'ClusterInfrastructure', objects),
    ...referenceNode(
      controlPlaneRef,
      'ControlPlane',
      objects,
      ofControlPlane.map((m) => machineNode(m, objects)),
    ),
    ...group('Workers', workers),
    ...machines.filter((m) => !claimed.has(m)).map((m) => machineNode(m, objects)),
    ...machineHealthChecks.map((check) => node(check, [])),
  ];
  return withCauses(node(cluster, children));
}

/** The tree of one machine. Pure. */
export function machineTree(machine: TreeObject, objects: ClusterObjects): TreeNode {
  return withCauses(machineNode(machine, objects));
}

function machineNode(machine: TreeObject, objects: ClusterObjects): TreeNode {
  const { configRef, infrastructureRef } = namedReferences(machine);
  const infrastructure = infrastructureRef && objects.referenced.get(referenceId(infrastructureRef));
  const below = infrastructure?.kind === metalMachine.kind ? bindingNodes(infrastructure, objects) : [];
  const children = [
    ...referenceNode(configRef, 'BootstrapConfig', objects),
    ...referenceNode(infrastructureRef, 'MachineInfrastructure', objects, below),
  ];
  return { ...node(machine, children), ...noteOf([machine.status?.['phase'], nodeName(machine)]) };
}

function nodeName({ status }: TreeObject): string | undefined {
  const ref = status?.['nodeRef'];
  const name = isJsonObject(ref) ? ref['name'] : undefined;
  return typeof name === 'string' ? `node ${name}` : undefined;
}

function bindingNodes(owner: TreeObject, { bindings, servers }: ClusterObjects): readonly TreeNode[] {
  const { name, namespace } = owner.metadata;
  const isOwn = ({ spec }: ServerBinding): boolean =>
    spec?.metalMachineRef.name === name && spec.metalMachineRef.namespace === namespace;
  return bindings.filter(isOwn).map((binding) => {
    const held = servers.get(binding.metadata.name);
    const link = binding.status?.link;
    return {
      ...node({ ...binding, kind: serverBinding.kind } as TreeObject, [serverNode(binding.metadata.name, held)]),
      ...noteOf([link === undefined ? undefined : `link ${link}`, binding.spec?.addresses?.[0]]),
    };
  });
}

function serverNode(name: string, held: TreeObject | undefined): TreeNode {
  if (held === undefined) return missing({ kind: server.kind, name });
  const { power, phase } = held.status ?? {};
  const note = [phase, typeof power === 'string' ? `power ${power}` : undefined, held.spec?.['hostname']];
  return { ...node(held, []), ...noteOf(note) };
}

function noteOf(parts: readonly unknown[]): { readonly note?: string } {
  const texts = parts.filter((part) => typeof part === 'string' && part !== '');
  return texts.length === 0 ? {} : { note: texts.join(', ') };
}

function referenceNode(
  ref: ObjectReference | undefined,
  role: string,
  { referenced, hidden }: ClusterObjects,
  children: readonly TreeNode[] = [],
): readonly TreeNode[] {
  if (ref === undefined) return [];
  const object = referenced.get(referenceId(ref));
  if (object !== undefined) return [{ ...node(object, children), role }];
  const isHidden = hidden.some((plural) => plural.startsWith((ref.kind ?? '').toLowerCase()));
  const unseen = { ...missing(ref), ...(isHidden ? { state: { ...NO_STATE, message: 'you may not read it' } } : {}) };
  return [{ ...unseen, role, children }];
}

function missing({ kind = '', name = '' }: ObjectReference): TreeNode {
  return { kind, name, state: MISSING, conditions: [], isCause: false, children: [] };
}

function node(object: TreeObject, children: readonly TreeNode[]): TreeNode {
  const { kind, metadata } = object;
  return {
    kind,
    name: metadata.name,
    state: stateOf(object),
    conditions: conditionsOf(object),
    isCause: false,
    children,
  };
}

function group(name: string, children: readonly TreeNode[]): readonly TreeNode[] {
  if (children.length === 0) return [];
  return [{ kind: '', name, state: NO_STATE, conditions: [], isCause: false, children }];
}

function namedReferences(object: TreeObject): Readonly<Record<string, ObjectReference | undefined>> {
  const spec = object.spec ?? {};
  const bootstrap = spec['bootstrap'] as JsonObject | undefined;
  const refs = referencesOf(object);
  const named = (wanted: unknown): ObjectReference | undefined => {
    const { kind, name } = (wanted ?? {}) as ObjectReference;
    return refs.find((ref) => ref.kind === kind && ref.name === name);
  };
  return {
    infrastructureRef: named(spec['infrastructureRef']),
    controlPlaneRef: named(spec['controlPlaneRef']),
    configRef: named(bootstrap?.['configRef']),
  };
}

function isOwnedBy({ metadata }: TreeObject, { kind, metadata: owner }: TreeObject): boolean {
  return (metadata.ownerReferences ?? []).some((ref) => ref.kind === kind && ref.name === owner.name);
}

/** Old MachineSets stay for a roll-back; empty ones are noise. */
function isOfInterest(set: TreeObject, machines: readonly TreeObject[]): boolean {
  return machines.length > 0 || set.spec?.['replicas'] !== 0;
}

function withCauses(root: TreeNode): TreeNode {
  const deepest = [...deepestWaits(root)];
  const causes = deepest.filter(({ state }) => !CONSEQUENT_WAITS.has(state.reason));
  const marked = new Set(causes.length > 0 ? causes : deepest);
  const mark = (item: TreeNode): TreeNode => ({
    ...item,
    isCause: marked.has(item),
    children: item.children.map(mark),
  });
  return mark(root);
}

function* deepestWaits(item: TreeNode): Generator<TreeNode> {
  let isDeeper = false;
  for (const child of item.children) {
    for (const found of deepestWaits(child)) {
      isDeeper = true;
      yield found;
    }
  }
  if (!isDeeper && item.state.ready === 'False') yield item;
}
