import { BloomeryError } from '@bloomery/ports';
import { parseAllDocuments } from 'yaml';
import { type ClusterConfig, readClusterConfig } from '../stand-in/cluster-config.ts';

const known = new Map<string, ClusterConfig>();
const MAX_KNOWN = 64;

/** Read a machine configuration; the last ones are remembered. @throws BloomeryError BLM_TALOS_CONFIG_INVALID */
export function readInstantConfig(config: string): ClusterConfig {
  const before = known.get(config);
  if (before !== undefined) return before;
  for (const document of parseAllDocuments(config, { uniqueKeys: false })) {
    const found = readClusterConfig(document.toJS({ maxAliasCount: 100 }));
    if (found === undefined) continue;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(config, found);
    return found;
  }
  throw new BloomeryError(
    'BLM_TALOS_CONFIG_INVALID',
    'booting a simulated machine: its configuration names no cluster',
  );
}
