import { field, mapAt, mapsAt, numberAt, scalarString, textAt, textsAt, type YamlMap } from '@bloomery/talos';
import { deviceOf, optionalFlag } from './device-section.ts';
import type { ClusterSection, MachineFileSection, MachineSection } from './node-config.ts';

/** `machine` of the v1alpha1 document. @param lineOf Line of a dotted path in it. */
export function machineSection(machine: YamlMap, lineOf: (path: string) => number): MachineSection {
  const network = mapAt(machine, 'network');
  const time = mapAt(machine, 'time');
  const features = mapAt(machine, 'features');
  const ca = mapAt(machine, 'ca');
  const token = textAt(machine, 'token');
  const hostname = textAt(network, 'hostname');
  const nodeAddressSortAlgorithm = textAt(features, 'nodeAddressSortAlgorithm');
  return {
    type: machineType(textAt(machine, 'type')),
    ...(token === '' ? {} : { token }),
    ...(ca === undefined ? {} : { ca: { crt: pemAt(ca, 'crt'), key: pemAt(ca, 'key') } }),
    acceptedCAs: mapsAt(machine, 'acceptedCAs').map((accepted) => ({ crt: pemAt(accepted, 'crt') })),
    certSANs: textsAt(machine, 'certSANs'),
    env: textMap(mapAt(machine, 'env')),
    files: mapsAt(machine, 'files').map(fileSection),
    sysctls: textMap(mapAt(machine, 'sysctls')),
    time: { ...optionalFlag(time, 'disabled'), servers: textsAt(time, 'servers') },
    network: {
      ...(hostname === '' ? {} : { hostname }),
      interfaces: mapsAt(network, 'interfaces').map((device, at) =>
        deviceOf(device, lineOf(`machine.network.interfaces.${at}`)),
      ),
      nameservers: textsAt(network, 'nameservers'),
      searchDomains: textsAt(network, 'searchDomains'),
      ...optionalFlag(network, 'disableSearchDomain'),
      extraHostEntries: mapsAt(network, 'extraHostEntries').map((entry) => ({
        ip: textAt(entry, 'ip'),
        aliases: textsAt(entry, 'aliases'),
      })),
    },
    hostDNS: {
      ...optionalFlag(mapAt(features, 'hostDNS'), 'enabled'),
      ...optionalFlag(mapAt(features, 'hostDNS'), 'forwardKubeDNSToHost'),
      ...optionalFlag(mapAt(features, 'hostDNS'), 'resolveMemberNames'),
    },
    ...optionalFlag(features, 'rbac'),
    ...optionalFlag(features, 'stableHostname'),
    ...(nodeAddressSortAlgorithm === '' ? {} : { nodeAddressSortAlgorithm }),
  };
}

/** `cluster` of the v1alpha1 document. */
export function clusterSection(cluster: YamlMap): ClusterSection {
  const network = mapAt(cluster, 'network');
  const texts = {
    id: textAt(cluster, 'id'),
    secret: textAt(cluster, 'secret'),
    name: textAt(cluster, 'clusterName'),
    controlPlaneEndpoint: textAt(mapAt(cluster, 'controlPlane'), 'endpoint'),
  };
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
    podSubnets: textsAt(network, 'podSubnets'),
    serviceSubnets: textsAt(network, 'serviceSubnets'),
  };
}

const machineType = (text: string): MachineSection['type'] =>
  text === 'init' || text === 'controlplane' ? text : 'worker';

function fileSection(file: YamlMap): MachineFileSection {
  const op = textAt(file, 'op');
  return {
    path: textAt(file, 'path'),
    op: op === 'append' || op === 'overwrite' ? op : 'create',
    content: textAt(file, 'content'),
    permissions: numberAt(file, 'permissions'),
  };
}

/** Certificates and keys stand as base64 of their PEM. */
const pemAt = (map: YamlMap, key: string): string => Buffer.from(textAt(map, key), 'base64').toString('utf8');

const textMap = (map: YamlMap | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(map ?? {}).map((key) => [key, scalarString(field(map ?? {}, key)) ?? '']));
