import type { ConditionChange, ConditionDraft, StatusPatch } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import type { Cluster, Json, JsonObject, Machine } from '@bloomery/model';
import { jsonEqual, timeText } from '@bloomery/model';
import type { BloomeryError } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitingFor } from '../../allocation/wait.ts';
import { isClaimedByAnother } from '../contract/claim.ts';
import { mirrorCondition, type SourceWait, waitForSource } from '../contract/mirror.ts';
import { mendedReference, type ProviderObject } from '../contract/provider-object.ts';
import { failureWait } from '../contract/report-failure.ts';
import { nodeReference } from '../workload/node-sync.ts';
import { type NodeView, nodeCondition } from './node-view.ts';

/** A Machine and what its references lead to. */
export interface MachineInput {
  readonly machine: Machine;
  readonly cluster: Cluster | undefined;
  readonly bootstrap: ProviderObject | undefined;
  readonly infrastructure: ProviderObject | undefined;
  readonly node: NodeView;
}

/** Conditions whose becoming True is an Event. */
export const MACHINE_MILESTONES = ['BootstrapReady', 'InfrastructureReady', 'NodeHealthy', 'Ready'];

const CERTIFICATES_EXPIRY = 'machine.cluster.x-k8s.io/certificates-expiry';

/** The object behind a reference, unless it belongs to another Machine: of that one nothing is taken over. */
export function ownSource(source: ProviderObject | undefined, machine: Machine): ProviderObject | undefined {
  return source?.object !== undefined && isClaimedByAnother(source.object, machine) ? undefined : source;
}

/** What to put into spec. Values that are there stay: a user may bring the secret or the provider id himself. */
export function planMachineSpec(input: MachineInput): JsonObject | undefined {
  const { spec } = input.machine;
  const bootstrap = ownSource(input.bootstrap, input.machine);
  const infrastructure = ownSource(input.infrastructure, input.machine);
  const spare: Record<string, Json> = {};
  const infrastructureRef = mendedReference(spec?.infrastructureRef, input.infrastructure);
  const configRef = mendedReference(spec?.bootstrap.configRef, input.bootstrap);
  if (infrastructureRef !== undefined) spare['infrastructureRef'] = infrastructureRef;
  if (configRef !== undefined) spare['bootstrap'] = { configRef };
  const { dataSecretName } = bootstrap?.view ?? {};
  if (!spec?.bootstrap.dataSecretName && bootstrap?.view.ready === true && dataSecretName !== undefined) {
    spare['bootstrap'] = { ...(configRef === undefined ? {} : { configRef }), dataSecretName };
  }
  if (infrastructure?.view.ready === true) {
    const { providerID, failureDomain } = infrastructure.view;
    if (!spec?.providerID && providerID !== undefined) spare['providerID'] = providerID;
    if (!spec?.failureDomain && failureDomain !== undefined) spare['failureDomain'] = failureDomain;
  }
  return Object.keys(spare).length === 0 ? undefined : { spec: spare };
}

/**
 * The status of a living Machine. Ready flags only go up, as for Cluster. Pure.
 *
 * @param refusal why its Node could not be given labels and annotations
 */
export function planMachineStatus(
  input: MachineInput,
  nowMs: number,
  refusal?: BloomeryError,
): { readonly status: StatusPatch; readonly wait: Wait | undefined } {
  const { machine } = input;
  const before = machine.status;
  const flags = flagsOf(input);
  const failure = failureOf(input, flags);
  const hasFailed = Object.keys(failure).length > 0 || Boolean(before?.failureReason ?? before?.failureMessage);
  const node = nodeFields(input);
  const nodeHealthy = nodeCondition(machine, input.node);
  const refused = failureWait(refusal);
  // Before all others: what is thrown afterwards says the same, and so writes nothing.
  const wait: SourceWait | undefined =
    refused === undefined ? machineWait(input, flags, nodeHealthy, hasFailed) : { wait: refused };
  const phase = phaseOf(input, flags, hasFailed);
  const addresses = ownSource(input.infrastructure, machine)?.view.addresses ?? [];
  const conditions: ConditionChange[] = [
    flags.bootstrap
      ? { type: 'BootstrapReady', status: 'True' }
      : mirrorCondition({
          type: 'BootstrapReady',
          isReady: false,
          source: ownSource(input.bootstrap, machine),
          reason: 'WaitingForBootstrapData',
        }),
    mirrorCondition(infrastructureMirror(input, flags)),
    nodeHealthy,
    wait === undefined ? { type: 'Ready', status: 'True' } : waitCondition(wait.wait),
    { type: 'Paused', status: null },
  ];
  return {
    status: {
      bootstrapReady: flags.bootstrap,
      infrastructureReady: flags.infrastructure,
      ...(addresses.length > 0 ? { addresses } : {}),
      ...node,
      ...failure,
      certificatesExpiryDate: certificatesExpiry(input) ?? null,
      phase,
      ...(phase === before?.phase ? {} : { lastUpdated: timeText(nowMs) }),
      waitingFor: wait === undefined ? null : (wait.short ?? waitingFor(wait.wait)),
      observedGeneration: machine.metadata.generation ?? before?.observedGeneration ?? null,
      conditions,
    },
    wait: wait?.wait,
  };
}

interface Flags {
  readonly bootstrap: boolean;
  readonly infrastructure: boolean;
}

function flagsOf(input: MachineInput): Flags {
  const { machine } = input;
  const bootstrap = ownSource(input.bootstrap, machine);
  const infrastructure = ownSource(input.infrastructure, machine);
  const hasData =
    Boolean(machine.spec?.bootstrap.dataSecretName) ||
    (bootstrap?.view.ready === true && bootstrap.view.dataSecretName !== undefined);
  const hasId = Boolean(machine.spec?.providerID) || infrastructure?.view.providerID !== undefined;
  return {
    bootstrap: machine.status?.bootstrapReady === true || hasData,
    infrastructure: machine.status?.infrastructureReady === true || (infrastructure?.view.ready === true && hasId),
  };
}

function infrastructureMirror({ machine, infrastructure }: MachineInput, flags: Flags) {
  return {
    type: 'InfrastructureReady',
    isReady: flags.infrastructure,
    source: ownSource(infrastructure, machine),
    reason: 'WaitingForInfrastructure',
  } as const;
}

function nodeFields({ machine, node }: MachineInput): StatusPatch {
  if (node.state !== 'found') return {};
  const reference = nodeReference(node.node);
  const have = machine.status?.nodeRef;
  const isSame = have?.name === reference.name && have?.uid === reference.uid;
  const nodeInfo = node.node.status?.nodeInfo;
  return {
    ...(isSame ? {} : { nodeRef: { ...reference } }),
    ...(nodeInfo === undefined || jsonEqual(nodeInfo, machine.status?.nodeInfo) ? {} : { nodeInfo: { ...nodeInfo } }),
  };
}

function failureOf(input: MachineInput, flags: Flags): StatusPatch {
  const { machine } = input;
  const infrastructure = ownSource(input.infrastructure, machine);
  const source = [infrastructure, ownSource(input.bootstrap, machine)].find(
    (one) => one?.view.failureReason !== undefined || one?.view.failureMessage !== undefined,
  );
  if (source !== undefined) {
    const { failureReason, failureMessage } = source.view;
    return {
      ...(failureReason === undefined ? {} : { failureReason }),
      ...(failureMessage === undefined ? {} : { failureMessage: `${source.text} failed: ${failureMessage}` }),
    };
  }
  // Where the type itself is gone nothing is known of the machine: that is no failure of it.
  const hasVanished = infrastructure?.kind !== undefined && infrastructure.object === undefined;
  if (!hasVanished || !flags.infrastructure) return {};
  return {
    failureReason: 'InvalidConfiguration',
    failureMessage: `${infrastructure.text} is gone after it was ready`,
  };
}

function machineWait(
  input: MachineInput,
  flags: Flags,
  nodeHealthy: ConditionDraft,
  hasFailed: boolean,
): SourceWait | undefined {
  const { machine, cluster, bootstrap, infrastructure } = input;
  const clusterName = machine.spec?.clusterName ?? '';
  if (cluster === undefined) {
    return said('WaitingForCluster', `Cluster ${clusterName} does not exist; create it`);
  }
  const taken = [infrastructure, bootstrap].find((one) => one !== undefined && ownSource(one, machine) === undefined);
  if (taken !== undefined) {
    return said(
      'ReferenceTaken',
      `${taken.text} belongs to another Machine; name an object of its own in the reference`,
    );
  }
  if (hasFailed) return said('MachineFailed', failureText(input, flags));
  if (!flags.bootstrap) {
    if (bootstrap === undefined) {
      return said('WaitingForBootstrapData', 'the Machine has neither a dataSecretName nor a configRef; set one');
    }
    return waitForSource({
      type: 'BootstrapReady',
      isReady: false,
      source: bootstrap,
      reason: 'WaitingForBootstrapData',
    });
  }
  const mirror = waitForSource(infrastructureMirror(input, flags));
  if (mirror !== undefined) {
    const isUnnamed = infrastructure?.view.ready === true && infrastructure.view.providerID === undefined;
    return isUnnamed && infrastructure.view.waiting === undefined
      ? said('WaitingForInfrastructure', `${infrastructure.text} is ready but has no spec.providerID`)
      : mirror;
  }
  return nodeWait(input, nodeHealthy) ?? healthCheckWait(machine);
}

function nodeWait({ machine, node }: MachineInput, condition: ConditionDraft): SourceWait | undefined {
  const message = condition.message ?? '';
  if (machine.status?.nodeRef?.name === undefined && node.state !== 'found') {
    return { wait: { reason: 'WaitingForNode', message, event: 'no Node with the provider id has joined yet' } };
  }
  // A cluster that cannot be asked says nothing against its machines.
  if (condition.status !== 'False') return undefined;
  return { wait: { reason: 'NodeUnhealthy', message, event: 'the Node is not healthy' } };
}

function healthCheckWait({ status }: Machine): SourceWait | undefined {
  const failed = ['HealthCheckSucceeded', 'OwnerRemediated']
    .map((type) => findCondition(status?.conditions, type))
    .find((condition) => condition?.status === 'False');
  return failed && said('MachineUnhealthy', failed.message ?? failed.reason ?? 'a health check found it unhealthy');
}

function said(reason: Wait['reason'], message: string): SourceWait {
  return { wait: { reason, message } };
}

function failureText(input: MachineInput, flags: Flags): string {
  const { failureMessage, failureReason } = { ...input.machine.status, ...failureOf(input, flags) };
  return String(failureMessage ?? failureReason ?? 'it failed');
}

function certificatesExpiry({ machine, bootstrap }: MachineInput): string | undefined {
  const text =
    machine.metadata.annotations?.[CERTIFICATES_EXPIRY] ??
    bootstrap?.object?.metadata.annotations?.[CERTIFICATES_EXPIRY];
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : timeText(ms);
}

/** The last rule that holds wins (spec/cluster.md §8). */
function phaseOf({ machine, node, infrastructure }: MachineInput, flags: Flags, hasFailed: boolean): string {
  if (hasFailed) return 'Failed';
  const hasNode = node.state === 'found' || Boolean(machine.status?.nodeRef?.name);
  if (hasNode && flags.infrastructure) return 'Running';
  const own = ownSource(infrastructure, machine);
  if (machine.spec?.providerID || (own?.view.ready === true && own.view.providerID !== undefined)) return 'Provisioned';
  return flags.bootstrap ? 'Provisioning' : 'Pending';
}
