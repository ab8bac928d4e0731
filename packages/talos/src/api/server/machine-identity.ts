import { BloomeryError } from '@bloomery/ports';
import { field, isYamlList, isYamlMap, readYaml, scalarString, type YamlMap } from '../../yaml/index.ts';

/** What a machine configuration says about the machine's Talos API. */
export interface MachineIdentity {
  readonly isControlPlane: boolean;
  /** PEM of `machine.ca.crt`: signs servers and clients of the Talos API. */
  readonly ca: string;
  /** PEM of its key, which only control-plane machines have. */
  readonly caKey: string | undefined;
  /** `machine.token`: with it machines without the key ask trustd for their certificate. */
  readonly token: string;
  /** `machine.certSANs` */
  readonly names: readonly string[];
  /** `cluster.controlPlane.endpoint`; '' when there is none. */
  readonly endpoint: string;
}

/** @throws BloomeryError BLM_TALOS_CONFIG_INVALID when it cannot be read or holds no `machine.ca.crt`. */
export function readMachineIdentity(config: string): MachineIdentity {
  const documents = readYaml(config, { what: 'machine configuration' }).filter((tree) => isYamlMap(tree));
  const machine = documents.map((tree) => section(tree, 'machine')).find((found) => found !== undefined) ?? {};
  const cluster = documents.map((tree) => section(tree, 'cluster')).find((found) => found !== undefined) ?? {};
  const authority = section(machine, 'ca') ?? {};
  const ca = decoded(authority, 'crt');
  if (ca === '')
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'reading a machine configuration: no machine.ca.crt');
  const names = field(machine, 'certSANs');
  return {
    isControlPlane: text(machine, 'type') !== 'worker',
    ca,
    caKey: decoded(authority, 'key') || undefined,
    token: text(machine, 'token'),
    names: isYamlList(names) ? names.flatMap((name) => scalarString(name) ?? []) : [],
    endpoint: text(section(cluster, 'controlPlane') ?? {}, 'endpoint'),
  };
}

function section(map: YamlMap, key: string): YamlMap | undefined {
  const found = field(map, key);
  return isYamlMap(found) ? found : undefined;
}

const text = (map: YamlMap, key: string): string => scalarString(field(map, key)) ?? '';

const decoded = (map: YamlMap, key: string): string => Buffer.from(text(map, key), 'base64').toString();
