import { findObject, type ObjectClient } from '@bloomery/kube';
import { node as nodeKind, type Pod, persistentVolumeClaim, volumeAttachment } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { podsOf } from './drain.ts';
import { isNodeUnreachable, planDrain } from './drain-plan.ts';
import { type NodeStep, type NodeStepDeps, type NodeStepRequest, runNodeStep } from './node-step.ts';

const PAGE_SIZE = 500;
const RETRY_MS = 2000;
const NAMED = 3;

/**
 * Wait until no volume is attached to a drained Node any more: a machine that goes with a volume attached may keep it from
 * being attached elsewhere, or damage it. Volumes of Pods that draining leaves alone do not count; of an unreachable Node nobody
 * can detach them, so they are not waited for. One step, as `drainNode`.
 */
export function waitForVolumes(deps: NodeStepDeps, request: NodeStepRequest): Promise<NodeStep> {
  const { nodeName } = request;
  return runNodeStep(deps, request, `waiting for the volumes of Node ${nodeName}`, async (client) => {
    const found = await findObject(client, nodeKind, { name: nodeName });
    if (found === undefined || isNodeUnreachable(found)) return { done: true };
    const attached = await attachedVolumes(client, nodeName);
    if (attached.length === 0) return { done: true };
    const kept = await volumesOf(client, planDrain(await podsOf(client, nodeName), false).staying);
    const left = attached.filter((name) => !kept.has(name)).sort();
    if (left.length === 0) return { done: true };
    const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : '';
    return {
      done: false,
      message: `${left.length} volumes are still attached to Node ${nodeName}: ${left.slice(0, NAMED).join(', ')}${more}`,
      event: `volumes are still attached to Node ${nodeName}`,
      retryMs: RETRY_MS,
    };
  });
}

/** Delete a Node. One step, as `drainNode`. */
export function deleteNode(deps: NodeStepDeps, request: NodeStepRequest): Promise<NodeStep> {
  const { nodeName } = request;
  return runNodeStep(deps, request, `deleting Node ${nodeName}`, async (client) => {
    try {
      await client.delete(nodeKind, { name: nodeName });
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    }
    return { done: true };
  });
}

/** PersistentVolumes that are attached to a Node, or on their way to it or from it. */
async function attachedVolumes(client: ObjectClient, nodeName: string): Promise<readonly string[]> {
  const names: string[] = [];
  let next: string | undefined;
  do {
    const more = next === undefined ? {} : { continue: next };
    const page = await client.list(volumeAttachment, { limit: PAGE_SIZE, ...more }).catch(noneWhereNotServed);
    for (const { metadata, spec } of page.items) {
      if (spec?.nodeName === nodeName) names.push(spec.source?.persistentVolumeName ?? metadata.name);
    }
    next = page.continue;
  } while (next !== undefined && next !== '');
  return names;
}

/** A list is never missing an object: an API that answers so does not serve the kind, and attaches no volumes. */
function noneWhereNotServed(error: unknown): { readonly items: readonly never[]; readonly continue?: string } {
  if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) return { items: [] };
  throw error;
}

async function volumesOf(client: ObjectClient, pods: readonly Pod[]): Promise<ReadonlySet<string>> {
  const volumes = new Set<string>();
  for (const { metadata, spec } of pods) {
    for (const { persistentVolumeClaim: claim } of spec?.volumes ?? []) {
      if (claim?.claimName === undefined) continue;
      const key = { name: claim.claimName, namespace: metadata.namespace ?? 'default' };
      const found = await findObject(client, persistentVolumeClaim, key);
      if (found?.spec?.volumeName !== undefined) volumes.add(found.spec.volumeName);
    }
  }
  return volumes;
}
