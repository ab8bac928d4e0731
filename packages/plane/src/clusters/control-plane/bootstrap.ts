import { findCondition } from '@bloomery/kube';
import { ANNOTATIONS } from '@bloomery/model';
import { providerStateText } from '../contract/provider-object.ts';
import type { BootstrapChoice } from './bootstrap-choice.ts';
import { type Facts, isDeleting, leavingSince } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { SETTLED, type Step } from './step.ts';

/** A machine that agreed to bootstrap and shows no data after this is asked again. */
const ANSWER_PATIENCE_MS = 60_000;

/**
 * Bootstrap etcd, once for ever. The first machine that answers is chosen, recorded, and then asked; another is chosen only when
 * that machine is deleted and no machine that remains holds data of etcd. Where machines were made by somebody else (a cluster
 * that was moved here), all of them have to say that they hold none. Pure.
 */
export function planBootstrap(facts: Facts): Step {
  if (facts.bootstrapped) return SETTLED;
  return facts.choice === undefined ? chooseMachine(facts) : followChoice(facts, facts.choice);
}

function chooseMachine(facts: Facts): Step {
  const { machines } = facts.observation;
  const foreign = machines.filter((m) => m.machine.metadata.annotations?.[ANNOTATIONS.beforeBootstrap] === undefined);
  const unsure = foreign.length === 0 ? undefined : machines.find((m) => mayHoldData(m) !== false);
  if (unsure !== undefined) {
    const message =
      `Machine ${unsure.name} was there before this control plane was managed here and may hold etcd of a running cluster; ` +
      `etcd is bootstrapped when every machine says that it holds none: ${machineStateText(unsure)}`;
    return wait(message);
  }
  for (const { name, talos } of facts.current.filter((m) => leavingSince(m) === undefined)) {
    if (talos.state !== 'answers' || talos.hasData !== false) continue;
    return { action: { do: 'chooseBootstrap', machine: name, node: talos.address } };
  }
  const [first] = facts.current;
  if (first === undefined) return SETTLED;
  const message = `no machine of the control plane answers the Talos API yet; ${machineStateText(first)}`;
  const isRefused = bootstrapCondition(first)?.reason === 'BootstrapConfigRefused';
  return { wait: { reason: isRefused ? 'BootstrapConfigRefused' : 'WaitingForFirstMachine', message } };
}

function followChoice(facts: Facts, choice: BootstrapChoice): Step {
  const chosen = facts.observation.machines.find(({ name }) => name === choice.machine);
  if (chosen === undefined) return replaceChoice(facts, choice);
  const { talos } = chosen;
  const isFree = talos.state === 'answers' && talos.hasData === false;
  // It goes, and then its place is free: telling it again would hold its Machine for ever.
  if (isFree && (isDeleting(chosen.machine) || leavingSince(chosen) !== undefined)) return SETTLED;
  if (isFree && refusesAndIsOutdated(facts, chosen, choice)) return SETTLED;
  if (talos.state !== 'answers' || talos.hasData !== false) {
    const why = talos.state === 'answers' ? 'it does not say whether it did' : machineStateText(chosen);
    return unknownOutcome(
      `Machine ${choice.machine} (${choice.node}) was chosen at ${choice.at} to bootstrap etcd: ${why}. ` +
        'No other is bootstrapped while its outcome is unknown; delete this Machine to have another chosen',
    );
  }
  const answeredAt = choice.answered === '' ? undefined : Date.parse(choice.answered);
  if (answeredAt === undefined || facts.observation.nowMs - answeredAt >= ANSWER_PATIENCE_MS) {
    return { action: { do: 'bootstrap', machine: choice.machine, node: talos.address } };
  }
  const message = `Machine ${choice.machine} was told to bootstrap etcd and has not started it yet`;
  return { wait: { reason: 'WaitingForEtcdMember', message } };
}

/** It did not agree for a while, and the spec has changed since it was made: it is replaced like any outdated machine. */
const refusesAndIsOutdated = (facts: Facts, chosen: ControlPlaneMachine, { answered, at }: BootstrapChoice): boolean =>
  answered === '' &&
  facts.observation.nowMs - Date.parse(at) >= ANSWER_PATIENCE_MS &&
  facts.differences(chosen).length > 0;

/** The machine that was chosen is gone for good: any other that holds no data may take its place, if none holds any. */
function replaceChoice(facts: Facts, choice: BootstrapChoice): Step {
  const unsure = facts.observation.machines.find((m) => mayHoldData(m) !== false);
  if (unsure === undefined) {
    const why = `Machine ${choice.machine} is deleted and no other machine holds data of etcd`;
    return { action: { do: 'releaseBootstrap', machine: choice.machine, why } };
  }
  return unknownOutcome(
    `Machine ${choice.machine}, chosen at ${choice.at} to bootstrap etcd, is gone, and Machine ${unsure.name} may have joined it: ` +
      `${machineStateText(unsure)}. Another is chosen when it says that it holds no data of etcd, or when it is deleted; ` +
      `to decide by hand take annotation ${ANNOTATIONS.bootstrapChoice} away`,
  );
}

/** false: it holds no data of etcd; undefined: nobody can tell. */
function mayHoldData({ talos, infrastructure, machine }: ControlPlaneMachine): boolean | undefined {
  if (talos.state === 'answers') return talos.hasData;
  // A machine that has no hardware yet cannot hold anything.
  const isNowhere = !machine.spec?.providerID && infrastructure?.view.ready !== true;
  return talos.state === 'noAddress' && isNowhere ? false : undefined;
}

/** What is known of a machine that does not help, for people: its Talos API, or what its infrastructure waits for. */
export function machineStateText({ name, talos, infrastructure, machine }: ControlPlaneMachine): string {
  switch (talos.state) {
    case 'silent':
      return `Machine ${name} (${talos.address}) does not answer: ${talos.why}`;
    case 'noCredentials':
      return `Machine ${name} cannot be asked: ${talos.why}`;
    case 'answers':
      return `Machine ${name} answers${talos.etcdWhy === '' ? '' : `; ${talos.etcdWhy}`}`;
    case 'noAddress':
      if (!machine.status?.bootstrapReady && machine.spec?.bootstrap.dataSecretName === undefined) {
        const why = bootstrapCondition({ machine })?.message;
        return `Machine ${name} has no bootstrap data yet${why ? `: ${why}` : ''}`;
      }
      return `Machine ${name}: ${infrastructure?.view.ready === true ? 'no address is known yet' : providerStateText(infrastructure)}`;
  }
}

const bootstrapCondition = ({ machine }: Pick<ControlPlaneMachine, 'machine'>) => {
  const condition = findCondition(machine.status?.conditions, 'BootstrapReady');
  return condition?.status === 'False' ? condition : undefined;
};
const wait = (message: string): Step => ({ wait: { reason: 'WaitingForFirstMachine', message } });
const unknownOutcome = (message: string): Step => ({ wait: { reason: 'BootstrapUnknown', message } });
