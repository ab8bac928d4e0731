import { findObject, type ReconcileContext } from '@bloomery/kube';
import {
  ANNOTATIONS,
  apiVersionOf,
  type Cluster,
  type KindRef,
  LABELS,
  type Machine,
  machine as machineKind,
  type ObjectReference,
  type TalosConfig,
  type TalosControlPlane,
  talosConfig,
} from '@bloomery/model';
import { BloomeryError, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { CLONED_FROM_NAME, cloneTemplate } from '../contract/clone-template.ts';
import { controllerReference, ownerReference } from '../contract/owner-reference.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { configSpecOf, isSameConfig } from './rollout.ts';
import { selectorOf } from './status.ts';

/** What making a machine needs. */
export interface CreateMachineDeps {
  readonly kinds: ProviderKinds;
  readonly random: RandomBytes;
}

/** A machine to be made. */
export interface CreateMachineRequest {
  readonly controlPlane: TalosControlPlane;
  readonly cluster: Cluster;
  readonly beforeBootstrap: boolean;
  readonly failureDomain: string | undefined;
}

/** Which part of a machine could not be made: the reason of condition MachinesCreated. */
export class CreationFailure extends Error {
  readonly reason: string;
  constructor(reason: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.reason = reason;
  }
}

/** References name the version that upstream writes; it is of contract v1beta1. */
const CONFIG_API_VERSION = 'bootstrap.cluster.x-k8s.io/v1alpha3';
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Make infrastructure object, TalosConfig and Machine under one name. What an interrupted attempt left is found by its owner and
 * used, so that nothing is made twice and nothing is left over. Returns the name.
 *
 * @throws CreationFailure naming the part.
 */
export async function createMachine(
  deps: CreateMachineDeps,
  context: ReconcileContext,
  request: CreateMachineRequest,
): Promise<string> {
  const { controlPlane, cluster } = request;
  const { namespace = 'default' } = controlPlane.metadata;
  const clusterName = cluster.metadata.name;
  const labels = { [LABELS.clusterName]: clusterName, [LABELS.controlPlane]: '' };
  const owner = ownerReference(controlPlane);
  const ref = { ...controlPlane.spec?.infrastructureTemplate };
  const name = await part('InfrastructureTemplateCloningFailed', async () => {
    return (await findUnfinished(deps, context, request)) ?? newName(controlPlane.metadata.name, deps.random);
  });
  const infrastructureRef = await part('InfrastructureTemplateCloningFailed', () =>
    cloneTemplate(
      { client: context.client, resolver: deps.kinds.resolver },
      { ref, namespace, name, clusterName, labels: { [LABELS.controlPlane]: '' }, owner },
    ),
  );
  await part('BootstrapTemplateCloningFailed', () =>
    create(context, talosConfig, {
      apiVersion: apiVersionOf(talosConfig),
      kind: talosConfig.kind,
      metadata: { name, namespace, labels, ownerReferences: [owner] },
      spec: requireSpec(controlPlane),
    }),
  );
  await part('MachineGenerationFailed', () =>
    create(context, machineKind, machineObject(request, { name, namespace }, labels, infrastructureRef)),
  );
  return name;
}

function machineObject(
  { controlPlane, cluster, beforeBootstrap, failureDomain }: CreateMachineRequest,
  at: { readonly name: string; readonly namespace: string },
  labels: Readonly<Record<string, string>>,
  infrastructureRef: ObjectReference,
): Machine {
  return {
    apiVersion: apiVersionOf(machineKind),
    kind: machineKind.kind,
    metadata: {
      ...at,
      labels,
      annotations: {
        [ANNOTATIONS.preTerminateHook]: '',
        ...(beforeBootstrap ? { [ANNOTATIONS.beforeBootstrap]: 'true' } : {}),
      },
      ownerReferences: [controllerReference(controlPlane)],
    },
    spec: {
      clusterName: cluster.metadata.name,
      ...(controlPlane.spec?.version === undefined ? {} : { version: controlPlane.spec.version }),
      bootstrap: { configRef: { apiVersion: CONFIG_API_VERSION, kind: talosConfig.kind, ...at } },
      infrastructureRef,
      ...(failureDomain === undefined ? {} : { failureDomain }),
    },
  };
}

/**
 * Name of infrastructure that was made for a Machine which was not: the attempt was interrupted. What does not fit the spec any
 * more is deleted.
 */
async function findUnfinished(
  { kinds }: CreateMachineDeps,
  { client }: ReconcileContext,
  { controlPlane, cluster }: CreateMachineRequest,
): Promise<string | undefined> {
  const { namespace = 'default', uid } = controlPlane.metadata;
  const { apiVersion, kind = '', name: template } = controlPlane.spec?.infrastructureTemplate ?? {};
  const made = await kinds.resolver.resolve({
    ...(apiVersion === undefined ? {} : { apiVersion }),
    kind: kind.replace(/Template$/, ''),
  });
  if (made === undefined) return undefined;
  const { items } = await client.list(made.kind, { namespace, labels: selectorOf(cluster.metadata.name) });
  const wanted = requireSpec(controlPlane);
  for (const { metadata } of items) {
    const isOurs = (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
    if (!isOurs || metadata.deletionTimestamp !== undefined) continue;
    const key = { name: metadata.name, namespace };
    if ((await findObject(client, machineKind, key)) !== undefined) continue;
    const config = await findObject(client, talosConfig, key);
    const fits = config?.spec === undefined || isSameConfig(config.spec, wanted);
    if (fits && metadata.annotations?.[CLONED_FROM_NAME] === template) return metadata.name;
    if (config !== undefined) await client.delete(talosConfig, key);
    await client.delete(made.kind, key);
  }
  return undefined;
}

function requireSpec(controlPlane: TalosControlPlane): NonNullable<TalosConfig['spec']> {
  const spec = configSpecOf(controlPlane);
  if (spec !== undefined) return spec;
  const text = `making a machine of TalosControlPlane ${controlPlane.metadata.name}: it has no spec.controlPlaneConfig.controlplane`;
  throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', text);
}

/** Made by an earlier attempt is as good as made now: nobody else takes a name that ends at random. */
async function create<T extends TalosConfig | Machine>(
  { client }: ReconcileContext,
  kind: KindRef<T>,
  object: T,
): Promise<void> {
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}

async function part<T>(reason: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new CreationFailure(reason, error);
  }
}

/** `<control plane>-xxxxx`, at most 63 characters. */
function newName(base: string, random: RandomBytes): string {
  const suffix = [...random(5)].map((byte) => NAME_LETTERS[byte % NAME_LETTERS.length]).join('');
  return `${base.slice(0, 57)}-${suffix}`;
}
