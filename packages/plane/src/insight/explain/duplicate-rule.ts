import { findCondition } from '@bloomery/kube';
import { type MachineRule, machineFinding, marksOf } from './bound-machine.ts';
import { newestFirst, statementOf } from './evidence.ts';

/** Two machines came to the link with one UUID: they take the link from each other, or one is refused. */
export const duplicateMachine: MachineRule = ({ binding, entries }) => {
  const told = findCondition(binding.status?.conditions, 'UniqueIdentity');
  if (told?.status !== 'False') return undefined;
  const { name } = binding.metadata;
  return machineFinding('DuplicateIdentity', {
    cause: `Two machines come to the link with the UUID of ServerBinding ${name}.`,
    since: told.lastTransitionTime,
    severity: 'warning',
    evidence: [statementOf(told), ...newestFirst(marksOf(entries, 'DuplicateIdentity'))],
    next: 'It is forgotten an hour after it happened last.',
    do: [
      `bloomery timeline server/${name} --source link   # which addresses ask`,
      `bloomery token reset ${name}   # if the machine or its mainboard was replaced`,
    ],
    hides: ['ReconnectStorm'],
  });
};
