import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dependencyGraph } from '@bloomery/cosi';
import { silentLog } from '@bloomery/ports';
import { composeIsolated } from './isolated-node.ts';
import type { NodeOptions } from './node-options.ts';

/** The graph does not depend on what is configured. */
const ANY_CONFIG = 'version: v1alpha1\nmachine:\n  type: worker\n';

/** Which controllers read and write what, in the DOT language. */
export async function printGraph(options: NodeOptions): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-graph-'));
  try {
    const configFile = join(dir, 'config.yaml');
    writeFileSync(configFile, ANY_CONFIG);
    await using node = await composeIsolated({ ...options, configFile, stateDir: dir }, silentLog, () => {});
    return dependencyGraph([...node.parts.inward, ...node.parts.outward]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
