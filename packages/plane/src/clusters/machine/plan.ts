import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import type { Cluster, Json, JsonObject, Machine } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitingFor, waitReasonOf } from '../../allocation/wait.ts';
import { type ProviderObject, providerStateText } from '../contract/provider-object.ts';

/** A Machine and what its references lead to. */
export interface MachineInput {
  readonly machine: Machine;
  readonly cluster: Cluster | undefined;
  readonly bootstrap: ProviderObject | undefined;
  readonly infrastructure: ProviderObject | undefined;
}

/** What to put into spec. Values that are there stay: a user may bring the secret or the provider id himself. */
export function planMachineSpec({ machine, bootstrap, infrastructure }: MachineInput): JsonObject | undefined {
  const { spec } = machine;
  const spare: Record<string, Json> = {};
  if (
    !spec?.bootstrap.dataSecretName &&
    bootstrap?.view.ready === true &&
    bootstrap.view.dataSecretName !== undefined
  ) {
    spare['bootstrap'] = { dataSecretName: bootstrap.view.dataSecretName };
  }
  if (infrastructure?.view.ready === true) {
    const { providerID, failureDomain } = infrastructure.view;
    if (!spec?.providerID && providerID !== undefined) spare['providerID'] = providerID;
    if (!spec?.failureDomain && failureDomain !== undefined) spare['failureDomain'] = failureDomain;
  }
  return Object.keys(spare).length === 0 ? undefined : { spec: spare };
}

/** The status of a living Machine. Ready flags only go up, as for Cluster. Pure. */
export function planMachineStatus(input: MachineInput): {
  readonly status: StatusPatch;
  readonly wait: Wait | undefined;
} {
  const { machine, infrastructure } = input;
  const before = machine.status;
  const bootstrapReady = before?.bootstrapReady === true || hasBootstrapData(input);
  const infrastructureReady =
    before?.infrastructureReady === true || (infrastructure?.view.ready === true && hasProviderId(input));
  const wait = machineWait(input, bootstrapReady, infrastructureReady);
  const addresses = infrastructure?.view.addresses ?? [];
  const conditions: ConditionChange[] = [
    flag('BootstrapReady', bootstrapReady, 'WaitingForDataSecret', input.bootstrap),
    flag('InfrastructureReady', infrastructureReady, 'WaitingForInfrastructure', infrastructure),
    wait === undefined ? { type: 'Ready', status: 'True' } : waitCondition(wait),
  ];
  return {
    status: {
      bootstrapReady,
      infrastructureReady,
      ...(addresses.length > 0 ? { addresses } : {}),
      phase: phaseOf(input, bootstrapReady, infrastructureReady),
      waitingFor: wait === undefined ? null : waitingFor(wait),
      observedGeneration: machine.metadata.generation ?? before?.observedGeneration ?? null,
      conditions,
    },
    wait,
  };
}

function hasBootstrapData({ machine, bootstrap }: MachineInput): boolean {
  const isReady = bootstrap?.view.ready === true && bootstrap.view.dataSecretName !== undefined;
  return Boolean(machine.spec?.bootstrap.dataSecretName) || isReady;
}

function hasProviderId({ machine, infrastructure }: MachineInput): boolean {
  return Boolean(machine.spec?.providerID) || infrastructure?.view.providerID !== undefined;
}

function flag(type: string, isReady: boolean, reason: string, source: ProviderObject | undefined): ConditionChange {
  return isReady
    ? { type, status: 'True' }
    : { type, status: 'False', severity: 'Info', reason, message: providerStateText(source) };
}

function machineWait(
  { machine, cluster, bootstrap, infrastructure }: MachineInput,
  bootstrapReady: boolean,
  infrastructureReady: boolean,
): Wait | undefined {
  const clusterName = machine.spec?.clusterName ?? '';
  if (cluster === undefined) {
    return { reason: 'WaitingForCluster', message: `Cluster ${clusterName} does not exist; create it` };
  }
  if (!bootstrapReady) {
    const message =
      bootstrap === undefined
        ? 'the Machine has neither a dataSecretName nor a configRef; set one'
        : providerStateText(bootstrap);
    return { reason: 'WaitingForBootstrapData', message };
  }
  const deeper = infrastructure?.view.waiting;
  if (infrastructure !== undefined && deeper !== undefined) {
    const reason = waitReasonOf(deeper.reason) ?? 'WaitingForInfrastructure';
    return { reason, message: `${infrastructure.text}: ${deeper.message}`, event: `${infrastructure.text} waits` };
  }
  if (infrastructureReady) return undefined;
  return { reason: 'WaitingForInfrastructure', message: providerStateText(infrastructure) };
}

function phaseOf(input: MachineInput, bootstrapReady: boolean, infrastructureReady: boolean): string {
  const { status } = input.machine;
  if (status?.failureReason !== undefined) return 'Failed';
  if (infrastructureReady && status?.nodeRef?.name) return 'Running';
  if (infrastructureReady && hasProviderId(input)) return 'Provisioned';
  return bootstrapReady ? 'Provisioning' : 'Pending';
}
