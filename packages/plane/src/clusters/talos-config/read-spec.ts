import type { TalosConfig } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import {
  type ConfigDocument,
  type ConfigPatch,
  isAtLeast,
  loadConfig,
  type MachineType,
  machineTypeOf,
  operationsPatch,
  parseVersionContract,
  patchConfig,
  readPatch,
  writeConfig,
  writeYaml,
  type YamlTree,
} from '@bloomery/talos';
import type { ConfigOwner } from './config-owner.ts';
import { contractOf } from './lowest-contract.ts';

export type TalosConfigSpec = NonNullable<TalosConfig['spec']>;

/** What the spec of a TalosConfig says, read. */
export interface SpecReading {
  /** Absent with generateType none. */
  readonly machineType?: MachineType;
  /** In the order in which they are applied; each knows the field it is from. */
  readonly patches: readonly ConfigPatch[];
  /** The host name is a document of its own, and among the patches. */
  readonly hostnameIsDocument: boolean;
}

/**
 * Read what a spec holds: its type, version, data and patches. Needs nothing else, so that what can never work is known at
 * once.
 *
 * @param hostname the name that the machine gets, when the spec asks for one.
 * @throws BloomeryError BLM_TALOS_* naming the field, line and key.
 */
export function readSpec({ spec }: TalosConfig, hostname: string | undefined): SpecReading {
  const { generateType = '', talosVersion, data = '' } = spec ?? {};
  const machineType = machineTypeOf(generateType);
  contractOf(talosVersion);
  if (generateType === 'none') {
    if (data === '') throw wrong('reading spec.data: it is required with generateType none');
    loadConfig(data, 'spec.data');
  } else if (machineType === undefined) {
    throw wrong(`reading spec.generateType: unknown type ${JSON.stringify(generateType.slice(0, 60))}`);
  }
  const hostnameIsDocument = hasHostnameDocument(talosVersion);
  return {
    ...(machineType === undefined ? {} : { machineType }),
    hostnameIsDocument,
    patches: [
      ...operationPatches(spec),
      ...(spec?.strategicPatches ?? []).map((text, i) => readPatch(text, 'strict', `spec.strategicPatches[${i}]`)),
      ...(hostname !== undefined && hostnameIsDocument ? [hostnamePatch(hostname)] : []),
    ],
  };
}

const wrong = (message: string): BloomeryError => new BloomeryError('BLM_TALOS_CONFIG_INVALID', message);

function operationPatches(spec: TalosConfig['spec']): ConfigPatch[] {
  const operations = (spec?.configPatches ?? []).map(
    ({ op, path, value }): YamlTree => ({ op, path, value: value ?? null }),
  );
  return operations.length === 0 ? [] : [operationsPatch(operations, 'spec.configPatches')];
}

/** The name that the spec asks for; pools of machines have none. */
export function hostnameOf({ spec }: TalosConfig, owner: ConfigOwner): string | undefined {
  if (owner.kind !== 'Machine') return undefined;
  switch (spec?.hostname?.source) {
    case 'MachineName':
      return owner.name;
    case 'InfrastructureName':
      return owner.infrastructure.name;
    default:
      return undefined;
  }
}

/** From 1.12.0-beta.0 the host name is a document of its own; an empty talosVersion does not count as new here (upstream). */
function hasHostnameDocument(talosVersion: string | undefined): boolean {
  if (talosVersion === undefined || talosVersion === '') return false;
  return isAtLeast(parseVersionContract(talosVersion), 12) && !/^v?1\.12\.0-alpha/.test(talosVersion);
}

/** The configuration with the host name where Talos before 1.12 has it. */
export function withLegacyHostname(documents: readonly ConfigDocument[], hostname: string): ConfigDocument[] {
  const patch = readPatch(writeYaml({ machine: { network: { hostname } } }), 'strict', 'spec.hostname');
  return patchConfig(writeConfig(documents, 'strict'), [patch], { strictness: 'strict' });
}

const hostnamePatch = (hostname: string): ConfigPatch =>
  readPatch(
    writeYaml({ apiVersion: 'v1alpha1', kind: 'HostnameConfig', auto: 'off', hostname }),
    'strict',
    'spec.hostname',
  );
