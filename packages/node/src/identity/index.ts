import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Controller } from '@bloomery/cosi';
import { BloomeryError } from '@bloomery/ports';
import { readIfThere, writeDurably } from '../config/durable-file.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { Identity } from '../resources/cluster.ts';
import { isNodeId, NODE_ID_BYTES, nodeIdText } from './node-id.ts';

/** Id of this node's own Identity. */
export const LOCAL_IDENTITY = 'local';

const FILE = 'node-identity.yaml';

/** The identity of this node: made once and kept in the daemon's folder. */
export function identityControllers({
  settings: { stateDir },
  random,
}: Pick<NodeEnvironment, 'settings' | 'random'>): readonly Controller[] {
  const file = join(stateDir, FILE);
  return [
    {
      name: 'cluster.NodeIdentityController',
      inputs: [],
      outputs: [{ definition: Identity, kind: 'shared' }],
      reconcile: async (context) => {
        const nodeId = (await readNodeId(file)) ?? (await writeNodeId(file, nodeIdText(random(NODE_ID_BYTES))));
        context.put(Identity, LOCAL_IDENTITY, Identity.make({ nodeId }));
      },
    },
  ];
}

/** @throws BloomeryError BLM_NODE_STATE for a file with anything else in it: an identity is never replaced by itself. */
async function readNodeId(file: string): Promise<string | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const nodeId = /^nodeId: ["']?([A-Za-z0-9]+)["']?\s*$/.exec(text)?.[1];
  if (nodeId !== undefined && isNodeId(nodeId)) return nodeId;
  throw new BloomeryError('BLM_NODE_STATE', `reading the identity of this node from ${file}: it holds no node id`, {
    facts: { file },
  });
}

async function writeNodeId(file: string, nodeId: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // A power cut must not leave an empty file behind: no other identity would be made.
  await writeDurably(file, `nodeId: ${nodeId}\n`, 0o600);
  return nodeId;
}
