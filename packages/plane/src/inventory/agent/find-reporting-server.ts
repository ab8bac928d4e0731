import { grpcError } from '@bloomery/grpc';
import { findObject } from '@bloomery/kube';
import { type Server, server, serverBinding } from '@bloomery/model';
import { isMeaninglessUuid, isServerName, normalUuid } from '../server-identity.ts';
import { derivedServers } from '../server-name.ts';
import type { AgentCaller, AgentServiceDeps } from './agent-deps.ts';

/**
 * The Server that a report is about. Where several machines report one UUID, the token of the boot decides, else the address.
 * @throws BLM_GRPC_STATUS INVALID_ARGUMENT for what names no Server, NOT_FOUND for an unknown one.
 */
export async function findReportingServer(
  reported: string,
  caller: AgentCaller,
  deps: AgentServiceDeps,
): Promise<Server> {
  const uuid = normalUuid(reported);
  if (!isServerName(uuid)) throw grpcError('INVALID_ARGUMENT', `uuid "${uuid.slice(0, 64)}" names no Server`);
  const others = derivedServers(deps.cache, uuid);
  const direct = isMeaninglessUuid(uuid) ? [] : [uuid];
  const names = [...direct, ...others.map(({ metadata }) => metadata.name)];
  const hasAddress = ({ status }: Server): boolean =>
    status?.addresses?.some(({ address }) => address === caller.address) === true;
  const byToken =
    caller.token === undefined || names.length < 2
      ? undefined
      : names.find((name) => deps.sessions.checkAgent(name, caller.token).ok);
  const name = byToken ?? others.find(hasAddress)?.metadata.name ?? names[0];
  const found = name === undefined ? undefined : await findObject(deps.client, server, { name });
  if (found === undefined) throw grpcError('NOT_FOUND', `no Server for uuid ${uuid}`);
  return found;
}

/**
 * Refuse a report that may change what happens to a machine's data or BMC, unless it comes from the machine's own boot and the
 * Server is accepted and free. @throws BLM_GRPC_STATUS FAILED_PRECONDITION or PERMISSION_DENIED
 */
export async function checkTrustedReport(
  about: Server,
  what: string,
  caller: AgentCaller,
  deps: AgentServiceDeps,
): Promise<void> {
  const { name } = about.metadata;
  if (about.spec?.accepted !== true)
    throw refuse(about, what, 'FAILED_PRECONDITION', 'the Server is not accepted', deps);
  if ((await findObject(deps.client, serverBinding, { name })) !== undefined) {
    throw refuse(about, what, 'FAILED_PRECONDITION', 'the Server is allocated', deps);
  }
  if (deps.insecureMetadata) return;
  const verdict = deps.sessions.checkAgent(name, caller.token);
  if (!verdict.ok) throw refuse(about, what, 'PERMISSION_DENIED', verdict.reason, deps);
}

function refuse(
  about: Server,
  what: string,
  status: 'FAILED_PRECONDITION' | 'PERMISSION_DENIED',
  why: string,
  deps: AgentServiceDeps,
): Error {
  deps.events.record(about, { type: 'Warning', reason: 'ReportRefused', message: `${what} was refused: ${why}.` });
  deps.log.warn('agent.report.refused', { server: about.metadata.name, report: what, reason: why });
  return grpcError(status, `${what} for Server ${about.metadata.name} refused: ${why}`);
}
