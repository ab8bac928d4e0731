import type { ReconcileContext } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import type { KindRef, Machine, MachineSet } from '@bloomery/model';
import { keyOf, machine } from '@bloomery/model';
import { errorText, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { cloneTemplate } from '../contract/clone-template.ts';
import { controllerReference } from '../contract/owner-reference.ts';
import {
  type ProviderKinds,
  type ProviderObject,
  type ProviderReference,
  readProviderObject,
} from '../contract/provider-object.ts';
import { MACHINE_SET_MANAGER, machineName, machineOf } from './machine-of.ts';
import type { CreationProblem } from './status.ts';
import { templateWait } from './template-wait.ts';

export interface MakeMachinesDeps {
  readonly kinds: ProviderKinds;
  readonly context: Pick<ReconcileContext, 'client' | 'events' | 'log'>;
  readonly random: RandomBytes;
}

/** The templates of a set, as far as they are there. */
export interface Templates {
  readonly infrastructure: ProviderObject | undefined;
  readonly bootstrap: ProviderObject | undefined;
}

interface Part {
  readonly template: ProviderReference | undefined;
  readonly clone: ProviderReference | undefined;
  readonly isDone: boolean;
  readonly failure: string;
}

const INFRASTRUCTURE_FAILED = 'InfrastructureTemplateCloningFailed';
const BOOTSTRAP_FAILED = 'BootstrapTemplateCloningFailed';

/** Read both templates of a set, and follow their kinds from now on. */
export async function readTemplates({ kinds, context }: MakeMachinesDeps, set: MachineSet): Promise<Templates> {
  const { namespace = 'default' } = set.metadata;
  const spec = set.spec?.template?.spec;
  const deps = { ...kinds, client: context.client };
  const [infrastructure, bootstrap] = await Promise.all([
    readProviderObject(deps, spec?.infrastructureRef, namespace),
    readProviderObject(deps, spec?.bootstrap.configRef, namespace),
  ]);
  return { infrastructure, bootstrap };
}

/** Make so many Machines of the set, with what belongs to them. Stops at the first that cannot be made. */
export async function makeMachines(
  deps: MakeMachinesDeps,
  set: MachineSet,
  templates: Templates,
  count: number,
): Promise<{ readonly made: readonly Machine[]; readonly problem: CreationProblem | undefined }> {
  const missing = missingTemplate(set, templates);
  const { infrastructure, bootstrap } = templates;
  if (missing !== undefined || infrastructure?.kind === undefined) return { made: [], problem: missing };
  const kinds = { infrastructure: infrastructure.kind, bootstrap: bootstrap?.kind };
  const made: Machine[] = [];
  for (let i = 0; i < count; i++) {
    const one = await makeMachine(deps, set, kinds);
    if ('problem' in one) return { made, problem: one.problem };
    made.push(one.machine);
    const problem = await provideParts(deps, set, one.machine);
    if (problem !== undefined) return { made, problem };
  }
  return { made, problem: undefined };
}

async function makeMachine(
  { context, random }: MakeMachinesDeps,
  set: MachineSet,
  kinds: { readonly infrastructure: KindRef; readonly bootstrap: KindRef | undefined },
): Promise<{ readonly machine: Machine } | { readonly problem: CreationProblem }> {
  const draft = machineOf(set, machineName(set, random), kinds);
  try {
    const made = await context.client.create(machine, draft, { fieldManager: MACHINE_SET_MANAGER });
    const message = `Created Machine ${made.metadata.name}`;
    context.events.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message });
    context.log.info('machine.created', { machine: made.metadata.name, machineSet: set.metadata.name });
    return { machine: made };
  } catch (error) {
    const problem = problemOf(error, 'MachineCreationFailed');
    if (problem === undefined) throw error;
    return { problem };
  }
}

/**
 * Make what a Machine of the set names and does not have yet, which is so for a new one, or after a crash in between. What was
 * there once is not made again: a machine may live on it.
 */
export async function provideParts(
  { kinds, context }: MakeMachinesDeps,
  set: MachineSet,
  owner: Machine,
): Promise<CreationProblem | undefined> {
  const { namespace = 'default', name } = owner.metadata;
  for (const { template, clone, failure } of openParts(set, owner)) {
    if (template === undefined || clone === undefined) continue;
    const there = await readProviderObject({ ...kinds, client: context.client }, clone, namespace);
    if (there?.object !== undefined) continue;
    const current = await findObject(context.client, machine, keyOf(owner));
    if (current === undefined || !openParts(set, current).some((part) => part.failure === failure)) continue;
    try {
      await cloneTemplate(
        { client: context.client, resolver: kinds.resolver },
        {
          ref: template,
          namespace,
          name,
          clusterName: set.spec?.clusterName ?? '',
          // What the set itself brings comes later and under its own manager: of that it takes away what it no longer wants,
          // and what a clone has from its template must not be among it.
          owner: controllerReference(owner),
        },
      );
    } catch (error) {
      const problem = problemOf(error, failure);
      if (problem === undefined) throw error;
      return problem;
    }
  }
  return undefined;
}

/** The parts of a Machine that this set is to make, by name and kind, and that it has not been provisioned with yet. */
export function openParts(set: MachineSet, { metadata, spec, status }: Machine): readonly Part[] {
  const template = set.spec?.template?.spec;
  const parts: readonly Part[] = [
    {
      template: template?.infrastructureRef,
      clone: spec?.infrastructureRef,
      isDone: status?.infrastructureReady === true || Boolean(spec?.providerID),
      failure: INFRASTRUCTURE_FAILED,
    },
    {
      template: template?.bootstrap.configRef,
      clone: spec?.bootstrap.configRef,
      isDone: status?.bootstrapReady === true || Boolean(spec?.bootstrap.dataSecretName),
      failure: BOOTSTRAP_FAILED,
    },
  ];
  return parts.filter(
    (part) =>
      !part.isDone &&
      metadata.deletionTimestamp === undefined &&
      part.clone?.name === metadata.name &&
      part.template?.kind === `${part.clone?.kind}Template`,
  );
}

function missingTemplate(set: MachineSet, { infrastructure, bootstrap }: Templates): CreationProblem | undefined {
  const hasBootstrap = set.spec?.template?.spec?.bootstrap.configRef?.name !== undefined;
  const noInfrastructure = templateWait('infrastructureRef', infrastructure);
  const wait = noInfrastructure ?? (hasBootstrap ? templateWait('bootstrap.configRef', bootstrap) : undefined);
  if (wait === undefined) return undefined;
  const reason = noInfrastructure === undefined ? BOOTSTRAP_FAILED : INFRASTRUCTURE_FAILED;
  return { reason, severity: 'Error', wait, isFinal: false };
}

/** What a failure means for the set; undefined when it is one of the moment, to be tried again. */
function problemOf(error: unknown, reason: string): CreationProblem | undefined {
  const message = errorText(error);
  if (isBloomeryError(error, 'BLM_TEMPLATE_MISSING')) {
    return { reason, severity: 'Error', wait: { reason: 'WaitingForTemplate', message }, isFinal: false };
  }
  const codes = ['BLM_API_INVALID', 'BLM_API_BAD_REQUEST', 'BLM_API_FORBIDDEN', 'BLM_TEMPLATE_TAKEN'] as const;
  if (!codes.some((code) => isBloomeryError(error, code))) return undefined;
  const isFinal = isBloomeryError(error, 'BLM_API_INVALID') || isBloomeryError(error, 'BLM_API_BAD_REQUEST');
  return { reason, severity: 'Error', wait: { reason: 'MachineRefused', message }, isFinal };
}
