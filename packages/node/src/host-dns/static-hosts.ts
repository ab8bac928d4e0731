import type { NodeConfig } from '../config/node-config.ts';
import { asText } from '../config/plain-value.ts';
import type { HostEntry } from '../files/hosts-file.ts';
import { parseIp } from '../ip/ip-prefix.ts';

/** Names that the configuration gives to addresses: `extraHostEntries` and StaticHostConfig documents. */
export function staticHosts(config: NodeConfig | undefined): readonly HostEntry[] {
  const legacy = config?.machine?.network.extraHostEntries ?? [];
  const documents = config?.documents.filter(({ kind }) => kind === 'StaticHostConfig') ?? [];
  return [
    ...legacy.map(({ ip, aliases }) => ({ address: ip, names: aliases })),
    ...documents.map(({ name = '', value }) => ({ address: name, names: texts(value['hostnames']) })),
  ].filter(({ address, names }) => parseIp(address) !== undefined && names.length > 0);
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(asText).filter((text) => text !== '') : [];
