import { grpcError } from '@bloomery/grpc';
import { findObject, jsonEqual, kubeTime, patchStatus } from '@bloomery/kube';
import type { Json } from '@bloomery/model';
import { server, serverBinding } from '@bloomery/model';
import type { agentProto } from '@bloomery/wire';
import type { AgentCaller, AgentServiceDeps } from './agent-deps.ts';
import { checkTrustedReport, findReportingServer } from './find-reporting-server.ts';
import { wipeInProgress } from './wipe-progress.ts';

const MAX_ADDRESSES = 256;
const MAX_TEXT = 256;

/** MarkServerAsWiped: the machine is clean. Only believed from the machine's own boot, for an accepted, free Server. */
export async function markServerAsWiped(uuid: string, caller: AgentCaller, deps: AgentServiceDeps): Promise<void> {
  const found = await findReportingServer(uuid, caller, deps);
  await checkTrustedReport(found, 'MarkServerAsWiped', caller, deps);
  const { name } = found.metadata;
  let again = false;
  const stored = await patchStatus(deps, server, { name }, ({ status }) => {
    const time = kubeTime(deps.clock.nowMs());
    again = status?.isClean === true;
    if (again) return { lastSeen: time };
    return {
      isClean: true,
      lastSeen: time,
      wipe: { finishedAt: time, withoutAllocation: (status?.wipe?.withoutAllocation ?? 0) + 1 },
      conditions: [{ type: 'PowerCycle', status: 'True' }],
    };
  });
  if (again) return;
  const { startedAt = '', finishedAt = '' } = stored.status?.wipe ?? {};
  const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
  deps.events.record(stored, { type: 'Normal', reason: 'WipeFinished', message: 'Server wiped by its agent.' });
  deps.log.info('server.wiped', { server: name, tookMs });
  deps.timeline.record({
    source: 'agent',
    about: { server: name },
    stage: 'Wiped',
    severity: 'info',
    event: 'WipeFinished',
    summary: 'wiped by its agent',
    ...(Number.isFinite(tookMs) ? { durationMs: tookMs } : {}),
  });
}

/** Heartbeat: the wipe goes on; the reboot timeout counts from here. */
export async function heartbeat(uuid: string, caller: AgentCaller, deps: AgentServiceDeps): Promise<void> {
  const { metadata } = await findReportingServer(uuid, caller, deps);
  const { name } = metadata;
  const bound = (await findObject(deps.client, serverBinding, { name })) !== undefined;
  await patchStatus(deps, server, { name }, ({ status }) => {
    const time = kubeTime(deps.clock.nowMs());
    // A late heartbeat must not undo the report that the wipe is done.
    const wiping = status?.isClean !== true && !bound;
    return { lastSeen: time, ...(wiping ? { conditions: [wipeInProgress(time)] } : {}) };
  });
}

/** ReconcileServerAddresses: replaces the types of addresses that are sent, keeps the others. */
export async function reconcileServerAddresses(
  uuid: string,
  reported: readonly Pick<agentProto.Address, 'type' | 'address'>[],
  caller: AgentCaller,
  deps: AgentServiceDeps,
): Promise<void> {
  if (reported.length > MAX_ADDRESSES) throw grpcError('INVALID_ARGUMENT', `more than ${MAX_ADDRESSES} addresses`);
  const found = await findReportingServer(uuid, caller, deps);
  const sent = reported.map(({ type, address }) => ({
    type: type.slice(0, MAX_TEXT),
    address: address.slice(0, MAX_TEXT),
  }));
  const types = new Set(sent.map(({ type }) => type));
  await patchStatus(deps, server, { name: found.metadata.name }, ({ status }) => {
    const have = status?.addresses ?? [];
    const kept = have.filter(({ type }) => !types.has(type)).slice(0, MAX_ADDRESSES - sent.length);
    const next = [...kept, ...sent];
    return jsonEqual(have as unknown as Json, next) ? undefined : { addresses: next };
  });
}
