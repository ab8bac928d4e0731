import { ANNOTATIONS, isJsonObject, type Json } from '@bloomery/model';
import { mayGo, memberOf } from './etcd-health.ts';
import type { Facts } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { SETTLED, type Step } from './step.ts';

/** A machine that reboots is still there for a moment: it counts as back only after this. */
const REBOOT_BEGINS_MS = 30_000;

/** A change in place as recorded on its Machine. */
export interface InPlaceChange {
  /** RFC 3339. */
  readonly at: string;
  /** The Talos version that it upgrades to; '' for none. */
  readonly talos: string;
  readonly reboots: boolean;
}

/** The record as text of the annotation. */
export const writeInPlaceChange = (change: InPlaceChange): string => JSON.stringify(change);

function readInPlaceChange({ machine }: ControlPlaneMachine): InPlaceChange | undefined {
  const text = machine.metadata.annotations?.[ANNOTATIONS.changingInPlace];
  if (text === undefined) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    value = {};
  }
  const of = (name: string): Json | undefined => (isJsonObject(value) ? value[name] : undefined);
  const [at, talos] = [of('at'), of('talos')];
  return {
    at: typeof at === 'string' ? at : '',
    talos: typeof talos === 'string' ? talos : '',
    reboots: of('reboots') === true,
  };
}

/**
 * Change machines that differ from the spec where they run, one after the other: the next when the last is a healthy member
 * again. What differs in its infrastructure template cannot be changed so and is only said. Pure.
 */
export function planInPlace(facts: Facts): Step {
  if (facts.strategy.type !== 'InPlace' || !facts.bootstrapped) return SETTLED;
  const changing = facts.current.find((m) => readInPlaceChange(m) !== undefined);
  if (changing !== undefined) return followChange(facts, changing);
  const outdated = facts.current.filter((m) => facts.differences(m).length > 0);
  const next = outdated.find((m) => !facts.differences(m).includes('template'));
  if (next === undefined) return outdated.length === 0 ? SETTLED : wait(cannotChange(outdated));
  const unsettled = facts.current.find((m) => facts.standing(m) !== 'member');
  if (unsettled !== undefined) {
    return wait(
      `Machine ${next.name} is to be changed in place; Machine ${unsettled.name} has to be a healthy member of etcd first`,
    );
  }
  const member = memberOf(facts.etcd, next.name);
  const verdict = member === undefined ? undefined : mayGo(facts.etcd, member);
  // The only machine may reboot: its data stays, and there is nobody to wait for.
  if (verdict?.ok === false && !verdict.isLast) {
    const message = `Machine ${next.name} is to be changed in place and may reboot: ${verdict.why}`;
    return { wait: { reason: 'EtcdQuorumAtRisk', message } };
  }
  return change(next);
}

/** An interrupted change is begun again; one that was made is over when the machine is back as it was wanted. */
function followChange(facts: Facts, machine: ControlPlaneMachine): Step {
  const { name, talos } = machine;
  if (facts.differences(machine).length > 0) return change(machine);
  const { at, talos: version, reboots } = readInPlaceChange(machine) ?? { at: '', talos: '', reboots: false };
  const elapsedMs = facts.observation.nowMs - (Date.parse(at) || 0);
  const isUpgraded = version === '' || (talos.state === 'answers' && talos.version === version);
  // Another Talos proves the reboot; without one only time does.
  const hasRebooted = !reboots || version !== '' || elapsedMs >= REBOOT_BEGINS_MS;
  const isBack = facts.standing(machine) === 'member' && hasRebooted;
  if (isUpgraded && isBack) {
    return { action: { do: 'settleMachine', machine: name, annotations: { [ANNOTATIONS.changingInPlace]: null } } };
  }
  const what = isUpgraded ? 'to be a healthy member of etcd again' : `to run Talos ${version}`;
  return wait(`Machine ${name} was changed in place at ${at} and has ${what}`);
}

function change({ name, talos }: ControlPlaneMachine): Step {
  if (talos.state !== 'answers') return wait(`Machine ${name} is to be changed in place and does not answer`);
  return { action: { do: 'changeInPlace', machine: name, node: talos.address } };
}

function cannotChange(machines: readonly ControlPlaneMachine[]): string {
  const names = machines.map(({ name }) => name).join(', ');
  return `Machines ${names} are made from another template, which cannot be changed in place: delete them one by one, or use strategy RollingUpdate`;
}

const wait = (message: string): Step => ({ wait: { reason: 'RollingOut', message } });
