import { providerStateText } from '../contract/provider-object.ts';
import { machineStateText } from './bootstrap.ts';
import { createStep, removeStep } from './change-size.ts';
import { chooseVictim } from './choose-victim.ts';
import type { Facts } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { deleteBeforeBootstrap } from './scale.ts';
import { whyNodeless } from './settling.ts';
import { SETTLED, type Step } from './step.ts';

/** Machines that a rolling update is to replace. */
export function outdatedOf(facts: Facts): readonly ControlPlaneMachine[] {
  return facts.current.filter((m) => facts.differences(m).length > 0);
}

/**
 * Replace machines that differ from the spec, one after the other: with a surge a new one joins first, without one an old one
 * goes first. The next follows when every new one is a healthy member of etcd with a Node. Pure.
 */
export function planRollingUpdate(facts: Facts): Step {
  const outdated = outdatedOf(facts);
  if (facts.strategy.type !== 'RollingUpdate' || outdated.length === 0) return SETTLED;
  if (!facts.bootstrapped) return replaceBeforeBootstrap(facts, outdated);
  const { maxSurge } = facts.strategy;
  const joining = facts.current.find((m) => facts.standing(m) === 'joining' && !outdated.includes(m));
  if (joining !== undefined) return waitForJoining(facts, joining, outdated.length);
  // Never more new machines than replicas: those above would be taken away again in the end.
  const isMissing = facts.current.length - outdated.length < facts.replicas;
  if (isMissing && facts.current.length < facts.replicas + maxSurge) return createStep(facts);
  if (maxSurge === 0 && facts.current.length === 1) {
    const message =
      'the only machine differs from the spec and cannot be replaced with rolloutStrategy.rollingUpdate.maxSurge 0: set it to 1, or add replicas';
    return { wait: { reason: 'LastMember', message } };
  }
  const victim = chooseVictim(facts, outdated);
  if (victim === undefined) return SETTLED;
  return removeStep(facts, victim, `it differs from the spec in its ${facts.differences(victim).join(' and ')}`);
}

/** Nothing runs yet: machines that differ are simply made again, but for the one that was told to bootstrap. */
function replaceBeforeBootstrap(facts: Facts, outdated: readonly ControlPlaneMachine[]): Step {
  const victim = outdated.find(({ name }) => name !== facts.choice?.machine);
  if (victim === undefined) return SETTLED;
  return deleteBeforeBootstrap(facts, victim, 'it differs from the spec and etcd was not bootstrapped yet');
}

function waitForJoining(facts: Facts, { name, infrastructure, ...rest }: ControlPlaneMachine, outdated: number): Step {
  const { ready, waiting } = infrastructure?.view ?? {};
  const state =
    ready === true ? machineStateText({ name, infrastructure, ...rest }) : providerStateText(infrastructure);
  const hint =
    ready !== true && waiting !== undefined && facts.strategy.maxSurge > 0
      ? '; with maxSurge 0 an old machine would go first and leave its place to the new one'
      : '';
  const nodeless = whyNodeless(facts, { name, infrastructure, ...rest });
  const goal = nodeless === undefined ? 'has to be a healthy member of etcd first' : 'has no Node yet';
  const message = `${outdated} machines are to be replaced; the new Machine ${name} ${goal}: ${nodeless ?? state}${hint}`;
  const reason = ready === true ? 'WaitingForEtcdMember' : 'WaitingForInfrastructure';
  return {
    wait: {
      reason: nodeless === undefined ? reason : 'WaitingForNodes',
      message,
      event: `The rollout waits for Machine ${name}`,
    },
  };
}
