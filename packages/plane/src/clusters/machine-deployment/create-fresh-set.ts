import type { ReconcileContext } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import type { MachineDeployment, MachineSet } from '@bloomery/model';
import { jsonEqual, keyOf, machineSet } from '@bloomery/model';
import { BloomeryError, errorText, isBloomeryError } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { isControlledBy } from '../contract/owner-reference.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import { templateWait } from '../machine-set/template-wait.ts';
import { lastRevision, MACHINE_DEPLOYMENT_MANAGER, machineSetOf } from './machine-set-of.ts';
import type { MachineDeploymentPlan } from './plan.ts';
import { rolloutFields, templateHash } from './template-hash.ts';

interface Deps {
  readonly kinds: ProviderKinds;
  readonly context: ReconcileContext;
}

const MAX_COLLISIONS = 100;

/**
 * Make the set of the present template, under the name that follows from the template: whoever tries again after a crash finds
 * it. Another set of that name (32 bits can collide, and rolloutAfter makes the same template anew) leads to the next name.
 */
export async function createFreshSet(
  deps: Deps,
  deployment: MachineDeployment,
  plan: MachineDeploymentPlan,
): Promise<{ readonly set?: MachineSet; readonly problem?: Wait }> {
  const problem = await missingTemplate(deps, deployment);
  if (problem !== undefined) return { problem };
  const { client, events, log } = deps.context;
  const revision = lastRevision(plan.old) + 1;
  for (let collision = 0; collision < MAX_COLLISIONS; collision++) {
    const hash = templateHash(deployment.spec?.template, collision);
    const draft = machineSetOf(deployment, { hash, replicas: plan.create ?? 0, revision, limits: plan.limits });
    if (plan.old.some(({ metadata }) => metadata.name === draft.metadata.name)) continue;
    try {
      const set = await client.create(machineSet, draft, { fieldManager: MACHINE_DEPLOYMENT_MANAGER });
      const message = `Created MachineSet ${set.metadata.name}`;
      events.record(deployment, { type: 'Normal', reason: 'SuccessfulCreate', message });
      log.info('machineset.created', { machineSet: set.metadata.name, machineDeployment: deployment.metadata.name });
      return { set };
    } catch (error) {
      if (isBloomeryError(error, 'BLM_API_INVALID')) {
        return { problem: { reason: 'MachineRefused', message: errorText(error) } };
      }
      if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
      const there = await findObject(client, machineSet, keyOf(draft));
      if (there !== undefined && isTheSame(there, draft, deployment)) return { set: there };
    }
  }
  throw new BloomeryError(
    'BLM_API_CONFLICT',
    `making a MachineSet for MachineDeployment ${deployment.metadata.name}: ${MAX_COLLISIONS} names are taken`,
    { retryable: true },
  );
}

function isTheSame(there: MachineSet, draft: MachineSet, deployment: MachineDeployment): boolean {
  return (
    there.metadata.deletionTimestamp === undefined &&
    isControlledBy(there, deployment) &&
    jsonEqual(rolloutFields(there.spec?.template), rolloutFields(draft.spec?.template))
  );
}

/** Without its templates a set could only take old Machines away. */
async function missingTemplate(
  { kinds, context }: Deps,
  { metadata, spec }: MachineDeployment,
): Promise<Wait | undefined> {
  const template = spec?.template.spec;
  const deps = { ...kinds, client: context.client };
  const { namespace = 'default' } = metadata;
  const infrastructure = await readProviderObject(deps, template?.infrastructureRef, namespace);
  const bootstrap = await readProviderObject(deps, template?.bootstrap.configRef, namespace);
  const wait = templateWait('infrastructureRef', infrastructure);
  if (wait !== undefined) return wait;
  return bootstrap === undefined ? undefined : templateWait('bootstrap.configRef', bootstrap);
}
