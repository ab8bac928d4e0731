import { findCondition } from '@bloomery/kube';
import { quoteError } from '../quote-error.ts';
import { type MachineRule, machineFinding, marksOf } from './bound-machine.ts';
import { newestFirst, sinceOf, statementOf } from './evidence.ts';

const QUOTE_MAX = 300;

/** The operating system could not load its configuration, or found it wrong. */
export const configInvalid: MachineRule = ({ binding, entries }) => {
  const { name } = binding.metadata;
  const found = ['TalosConfigLoaded', 'TalosConfigValidated']
    .map((type) => findCondition(binding.status?.conditions, type))
    .find((condition) => condition?.status === 'False');
  if (found === undefined) return undefined;
  const what = found.type === 'TalosConfigLoaded' ? 'cannot load' : 'refuses';
  return machineFinding('ConfigInvalid', {
    cause: `Server ${name} ${what} its machine configuration: ${quoted(found.message)}`,
    ...sinceOf(found),
    evidence: [statementOf(found), ...newestFirst(marksOf(entries, 'ConfigRefused', 'ConfigServed'))],
    next: 'The machine fetches its configuration again and again: it goes on when that is correct.',
    do: [
      `kubectl get server ${name} -o yaml   # spec.configPatches`,
      'kubectl get serverclasses,talosconfigs -A -o yaml',
      `bloomery timeline server/${name} --source config,talos`,
    ],
    hides: ['TalosConfigLoadFailed', 'TalosConfigValidationFailed', 'ConfigRefused'],
  });
};

/** The operating system could not install itself. */
export const installationFailed: MachineRule = ({ binding, entries }) => {
  const { name } = binding.metadata;
  const found = findCondition(binding.status?.conditions, 'TalosInstalled');
  if (found?.status !== 'False' || found.reason !== 'TalosInstallationFailed') return undefined;
  return machineFinding('InstallationFailed', {
    cause: `Server ${name} could not install its operating system: ${quoted(found.message)}`,
    ...sinceOf(found),
    evidence: [
      statementOf(found),
      ...newestFirst(marksOf(entries, 'InstallFailed', 'InstallStarted', 'SequenceFailed')),
    ],
    next: 'The machine tries again at its next boot from the network.',
    do: [`bloomery logs ${name}`, `bloomery timeline server/${name} --source talos`],
    hides: ['TalosInstallationFailed', 'InstallationFailed'],
  });
};

function quoted(message: string | undefined): string {
  return quoteError(message ?? '', QUOTE_MAX) || 'it gave no reason';
}
