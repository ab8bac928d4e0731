import type { JsonObject, KindRef, Machine, MachineSet, ObjectReference } from '@bloomery/model';
import { apiVersionOf, FINALIZERS, LABELS, labelValueOf, machine } from '@bloomery/model';
import { controllerReference } from '../contract/owner-reference.ts';
import type { Propagated } from '../contract/propagate.ts';

/** Letters without vowels and digits without those that look like letters, as Kubernetes makes names. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const RANDOM_LENGTH = 5;
const MAX_NAME_LENGTH = 63;
const TEMPLATE_SUFFIX = 'Template';
/** Field manager of all that a MachineSet writes to what it made; upstream's. */
export const MACHINE_SET_MANAGER = 'capi-machineset';

/** A name for a Machine of this set: `<set>-xxxxx`, or as spec.machineNamingStrategy says. At most 63 characters. */
export function machineName(set: MachineSet, random: (length: number) => Uint8Array): string {
  const suffix = Array.from(random(RANDOM_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  const template = set.spec?.machineNamingStrategy?.template ?? '{{ .machineSet.name }}-{{ .random }}';
  const [before = '', ...after] = template
    .replaceAll('{{ .cluster.name }}', set.spec?.clusterName ?? '')
    .replaceAll('{{ .machineSet.name }}', set.metadata.name)
    .split('{{ .random }}');
  const rest = [suffix, ...after.flatMap((part, i) => (i === 0 ? [part] : [suffix, part]))].join('');
  return before.slice(0, Math.max(0, MAX_NAME_LENGTH - rest.length)) + rest;
}

/** Labels, annotations and fields that Machines of the set, and what belongs to them, follow without being made anew. */
export function propagatedTo(set: MachineSet): Propagated & { readonly spec: NonNullable<Propagated['spec']> } {
  const template = set.spec?.template;
  const deployment = set.metadata.labels?.[LABELS.machineDeployment];
  const { readinessGates, nodeDrainTimeout, nodeVolumeDetachTimeout, nodeDeletionTimeout } = template?.spec ?? {};
  return {
    labels: {
      ...template?.metadata?.labels,
      [LABELS.clusterName]: set.spec?.clusterName ?? '',
      [LABELS.machineSet]: labelValueOf(set.metadata.name),
      ...(deployment === undefined ? {} : { [LABELS.machineDeployment]: deployment }),
    },
    annotations: { ...template?.metadata?.annotations },
    spec: {
      readinessGates: readinessGates?.map((gate) => ({ ...gate })),
      nodeDrainTimeout,
      nodeVolumeDetachTimeout,
      nodeDeletionTimeout,
    },
  };
}

/** The kinds of the templates that a set's machines are made from. */
export interface TemplateKinds {
  readonly infrastructure: KindRef;
  /** undefined: the machines get a data secret that somebody brings. */
  readonly bootstrap: KindRef | undefined;
}

/**
 * A Machine of the set. It comes before its infrastructure and its bootstrap config, which bear its name: so they have an
 * owner from their first moment, and whoever finds the Machine without them knows what is still to be made.
 */
export function machineOf(set: MachineSet, name: string, kinds: TemplateKinds): Machine {
  const { namespace = 'default' } = set.metadata;
  const { labels, annotations, spec } = propagatedTo(set);
  const template = set.spec?.template?.spec;
  return {
    apiVersion: apiVersionOf(machine),
    kind: machine.kind,
    metadata: {
      name,
      namespace,
      labels,
      annotations,
      finalizers: [FINALIZERS.machine],
      ownerReferences: [controllerReference(set)],
    },
    spec: {
      ...(template?.version === undefined ? {} : { version: template.version }),
      ...(template?.failureDomain === undefined ? {} : { failureDomain: template.failureDomain }),
      ...defined(spec),
      clusterName: set.spec?.clusterName ?? '',
      infrastructureRef: cloneReference(kinds.infrastructure, name, namespace),
      bootstrap: {
        ...(kinds.bootstrap === undefined ? {} : { configRef: cloneReference(kinds.bootstrap, name, namespace) }),
        ...(template?.bootstrap.dataSecretName === undefined
          ? {}
          : { dataSecretName: template.bootstrap.dataSecretName }),
      },
    },
  };
}

/** Reference to what is made from a template of this kind. */
function cloneReference(template: KindRef, name: string, namespace: string): ObjectReference {
  const kind = template.kind.slice(0, -TEMPLATE_SUFFIX.length);
  return { apiVersion: apiVersionOf(template), kind, name, namespace };
}

function defined(fields: Readonly<Record<string, JsonObject[string]>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
