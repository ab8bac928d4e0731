import { isIP } from 'node:net';
import type { ConfigDocument } from '../config/index.ts';
import type { YamlMap } from '../yaml/index.ts';
import { flagAt, isSet, listAt, mapAt, textAt, textsAt } from './section.ts';

/** What documents set that the legacy document sets too. */
export function legacyConflicts(documents: readonly ConfigDocument[], legacy: YamlMap): string[] {
  const machine = mapAt(legacy, 'machine');
  return documents
    .map((document) => conflictOf(document, machine))
    .filter((conflict): conflict is string => conflict !== undefined);
}

function conflictOf({ kind, tree }: ConfigDocument, machine: YamlMap | undefined): string | undefined {
  const network = mapAt(machine, 'network');
  switch (kind) {
    case 'HostnameConfig':
      if (textAt(network, 'hostname') !== '') return 'static hostname is already set in v1alpha1 config';
      return flagAt(mapAt(machine, 'features'), 'stableHostname')
        ? 'stable hostname is already set in v1alpha1 config'
        : undefined;
    case 'KubeSpanConfig':
      return isSet(network, 'kubespan')
        ? 'kubespan is already configured in v1alpha1 machine.network.kubespan'
        : undefined;
    case 'ResolverConfig':
      return resolverConflict(network);
    case 'TimeSyncConfig':
      return timeConflict(mapAt(machine, 'time'));
    case 'VolumeConfig':
      return encryptionConflict(tree, machine);
    default:
      return undefined;
  }
}

function resolverConflict(network: YamlMap | undefined): string | undefined {
  const already = (key: string): string => `.machine.network.${key} is already set in v1alpha1 config`;
  if (isSet(network, 'searchDomains')) return already('searchDomains');
  if (textsAt(network, 'nameservers').some((address) => isIP(address) !== 0)) return already('nameservers');
  return flagAt(network, 'disableSearchDomain') ? already('disableSearchDomain') : undefined;
}

function timeConflict(time: YamlMap | undefined): string | undefined {
  const both = 'in both v1alpha1 and new-style configuration';
  if (flagAt(time, 'disabled')) return `time sync cannot be disabled ${both}`;
  if (listAt(time, 'servers').length > 0) return `time servers cannot be specified ${both}`;
  return isSet(time, 'bootTimeout') ? `boot timeout cannot be specified ${both}` : undefined;
}

function encryptionConflict(volume: YamlMap, machine: YamlMap | undefined): string | undefined {
  const name = textAt(volume, 'name');
  // Keys without a provider are no encryption here, although the document itself is judged by them.
  const provider = textAt(mapAt(volume, 'encryption'), 'provider');
  if (provider === '' || provider === 'none' || (name !== 'STATE' && name !== 'EPHEMERAL')) return undefined;
  return isSet(mapAt(machine, 'systemDiskEncryption'), name.toLowerCase())
    ? `system disk encryption for "${name}" is configured in both v1alpha1.Config and VolumeConfig`
    : undefined;
}
