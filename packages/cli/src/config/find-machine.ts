import { findObject } from '@bloomery/kube';
import {
  cluster,
  type KindDefinition,
  type Machine,
  type MetalMachine,
  machine,
  metalMachine,
  type ObjectReference,
  type Server,
  type ServerBinding,
  server,
  serverBinding,
  type TalosConfig,
  talosConfig,
} from '@bloomery/model';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import { didYouMean, resolveKind } from '../resolve-kind.ts';
import { resolveServer } from '../resolve-server.ts';
import type { Session } from '../session.ts';
import { suggest } from '../suggest.ts';
import { type ClusterObjects, readClusterObjects, referenceId, type TreeObject } from '../tree/cluster-objects.ts';

/** A machine of a cluster with everything that belongs to it, as far as it is there. */
export interface MachineChain {
  readonly machine: Machine;
  readonly talosConfig: TalosConfig | undefined;
  /** undefined also for machines of other infrastructure. */
  readonly metalMachine: MetalMachine | undefined;
  readonly binding: ServerBinding | undefined;
  readonly server: Server | undefined;
}

/**
 * The machine that a person means by the name of any of its objects: `machine/x`, `talosconfig/x`, `metalmachine/x`, a Server by
 * whatever it is known as, or a bare name, which is looked for in that order.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN, BLM_CLI_REFUSED for a Server that works for no machine
 */
export async function findMachine(session: Session, text: string): Promise<MachineChain> {
  const slash = text.indexOf('/');
  const kind = slash > 0 ? resolveKind(text.slice(0, slash)) : undefined;
  const name = text.slice(slash + 1);
  const found = await machineOf(session, kind, name);
  if (found === undefined) throw await unknown(session, name);
  return chainOf(session, found);
}

/** The machines of a cluster, sorted by name, each kind read once; undefined when there is no Cluster of that name. */
export async function machinesOfCluster(session: Session, text: string): Promise<readonly MachineChain[] | undefined> {
  const { client, namespace } = session;
  const [, name = ''] = /^(?:(?:cluster|clusters|cl)\/)?([^/]+)$/i.exec(text) ?? [];
  const found = name === '' ? undefined : await findObject(client, cluster, { name, namespace });
  if (found === undefined) return undefined;
  const objects = await readClusterObjects(session, found as TreeObject);
  return objects.machines
    .map((item) => chainIn(objects, item as TreeObject & Machine))
    .toSorted((a, b) => (a.machine.metadata.name < b.machine.metadata.name ? -1 : 1));
}

function chainIn(objects: ClusterObjects, found: Machine): MachineChain {
  const named = (ref: ObjectReference | undefined, kind: KindDefinition): TreeObject | undefined =>
    ref?.kind === kind.kind ? objects.referenced.get(referenceId(ref)) : undefined;
  const metal = named(found.spec?.infrastructureRef, metalMachine) as MetalMachine | undefined;
  const held = metal?.spec?.serverRef?.name ?? '';
  return {
    machine: found,
    talosConfig: named(found.spec?.bootstrap.configRef, talosConfig) as TalosConfig | undefined,
    metalMachine: metal,
    binding: objects.bindings.find(({ metadata }) => metadata.name === held),
    server: objects.servers.get(held) as Server | undefined,
  };
}

/** What belongs to a Machine. Servers that may not be read are left out. */
async function chainOf(session: Session, found: Machine): Promise<MachineChain> {
  const { client, namespace } = session;
  const { configRef } = found.spec?.bootstrap ?? {};
  const { infrastructureRef } = found.spec ?? {};
  const [config, metal] = await Promise.all([
    configRef?.kind === talosConfig.kind
      ? findObject(client, talosConfig, { name: configRef.name ?? '', namespace })
      : undefined,
    infrastructureRef?.kind === metalMachine.kind
      ? findObject(client, metalMachine, { name: infrastructureRef.name ?? '', namespace })
      : undefined,
  ]);
  const held = metal?.spec?.serverRef?.name ?? '';
  const [binding, own] = await Promise.all([
    held === '' ? undefined : permitted(findObject(client, serverBinding, { name: held })),
    held === '' ? undefined : permitted(findObject(client, server, { name: held })),
  ]);
  return { machine: found, talosConfig: config, metalMachine: metal, binding, server: own };
}

async function machineOf(
  session: Session,
  kind: KindDefinition | undefined,
  name: string,
): Promise<Machine | undefined> {
  const { client, namespace } = session;
  const at = { name, namespace };
  const isWanted = (wanted: KindDefinition): boolean => kind === undefined || kind.kind === wanted.kind;
  const direct = isWanted(machine) ? await findObject(client, machine, at) : undefined;
  if (direct !== undefined) return direct;
  for (const [own, pick] of [
    [talosConfig, (m: Machine) => m.spec?.bootstrap.configRef],
    [metalMachine, (m: Machine) => m.spec?.infrastructureRef],
  ] as const) {
    if (!isWanted(own) || (await findObject<TalosConfig | MetalMachine>(client, own, at)) === undefined) continue;
    const { items } = await client.list(machine, { namespace });
    const owner = items.find((item) => pick(item)?.kind === own.kind && pick(item)?.name === name);
    if (owner !== undefined) return owner;
  }
  return isWanted(server) || isWanted(serverBinding) ? machineOnServer(session, name, kind !== undefined) : undefined;
}

async function machineOnServer(session: Session, name: string, isExplicit: boolean): Promise<Machine | undefined> {
  const { client } = session;
  let found: Server;
  try {
    found = await resolveServer(client, name);
  } catch (error) {
    const isNone = isBloomeryError(error, 'BLM_CLI_NAME_UNKNOWN') || isBloomeryError(error, 'BLM_API_FORBIDDEN');
    if (isNone && !isExplicit) return undefined;
    throw error;
  }
  const { metalMachineRef } = (await findObject(client, serverBinding, { name: found.metadata.name }))?.spec ?? {};
  const { namespace = 'default', name: holder = '' } = metalMachineRef ?? {};
  const metal = holder === '' ? undefined : await findObject(client, metalMachine, { name: holder, namespace });
  const owner = metal?.metadata.ownerReferences?.find((ref) => ref.kind === machine.kind);
  const member = owner && (await findObject(client, machine, { name: owner.name, namespace }));
  if (member !== undefined) return member;
  throw new BloomeryError(
    'BLM_CLI_REFUSED',
    `server ${found.metadata.name} works for no machine: it is served no configuration`,
    {
      facts: { try: `bloomery describe server/${found.metadata.name}` },
    },
  );
}

async function unknown({ client, namespace }: Session, name: string): Promise<BloomeryError> {
  const { items } = await client.list(machine, { namespace });
  const near = suggest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const message = `nothing in namespace ${namespace} that has a machine configuration is called ${JSON.stringify(name)}${didYouMean(near)}`;
  return new BloomeryError('BLM_CLI_NAME_UNKNOWN', message, { facts: { try: 'bloomery get machines -A' } });
}

async function permitted<T>(read: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_FORBIDDEN')) return undefined;
    throw error;
  }
}
