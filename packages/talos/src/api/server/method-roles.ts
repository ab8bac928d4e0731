import { type CallContext, grpcError } from '@bloomery/grpc';
import type { BloomeryError } from '@bloomery/ports';
import type { machineProto } from '@bloomery/wire';

/** A method of the Talos API of a machine. */
export type MachineMethod = keyof (typeof machineProto.MachineService)['method'];

const ADMIN: readonly string[] = ['os:admin'];
const OPERATOR: readonly string[] = [...ADMIN, 'os:operator'];
const READER: readonly string[] = [...OPERATOR, 'os:reader'];

/** Who may call what: roles stand as organizations in the client certificate. @see spec/cluster.md section 7, Talos API */
const ROLES: Readonly<Record<MachineMethod, readonly string[]>> = {
  applyConfiguration: ADMIN,
  bootstrap: ADMIN,
  dmesg: READER,
  etcdForfeitLeadership: ADMIN,
  etcdLeaveCluster: ADMIN,
  etcdMemberList: READER,
  etcdRemoveMemberByID: ADMIN,
  etcdStatus: READER,
  events: READER,
  hostname: READER,
  kubeconfig: ADMIN,
  list: READER,
  loadAvg: READER,
  logs: READER,
  logsContainers: READER,
  memory: READER,
  netstat: READER,
  read: ADMIN,
  reboot: OPERATOR,
  reset: ADMIN,
  serviceList: READER,
  shutdown: OPERATOR,
  systemStat: READER,
  upgrade: ADMIN,
  version: READER,
};

/** Whose metadata may say in whose name they call. */
const IMPERSONATOR = 'os:impersonator';
const MAX_ROLES = 20;

/**
 * Roles of a caller: the organizations of his certificate; those of the metadata `talos-role` when he is an impersonator and gives
 * some.
 */
export function rolesOf({ certifiedPeer, metadata }: CallContext): readonly string[] {
  const roles = certifiedPeer()?.organizations ?? [];
  const claimed = metadata['talos-role'];
  if (claimed === undefined || !roles.includes(IMPERSONATOR)) return roles;
  return claimed.split(',', MAX_ROLES).map((role) => role.trim());
}

/** Whether one of the roles may call this. */
export const mayCall = (method: MachineMethod, roles: readonly string[]): boolean =>
  roles.some((role) => ROLES[method].includes(role));

/** What who is not allowed to is told, in Talos' words. */
export const notAuthorized = (): BloomeryError => grpcError('PERMISSION_DENIED', 'not authorized');

/** @throws BloomeryError BLM_GRPC_STATUS PERMISSION_DENIED unless the caller's certificate has a role that may call this. */
export function checkRole(method: MachineMethod, context: CallContext): void {
  if (!mayCall(method, rolesOf(context))) throw notAuthorized();
}
