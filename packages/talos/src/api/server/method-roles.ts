import { type CallContext, grpcError } from '@bloomery/grpc';
import type { machineProto } from '@bloomery/wire';

type Method = keyof (typeof machineProto.MachineService)['method'];

const ADMIN: readonly string[] = ['os:admin'];
const OPERATOR: readonly string[] = [...ADMIN, 'os:operator'];
const READER: readonly string[] = [...OPERATOR, 'os:reader'];

/** Who may call what: roles stand as organizations in the client certificate. @see spec/cluster.md section 7, Talos API */
const ROLES: Readonly<Record<Method, readonly string[]>> = {
  applyConfiguration: ADMIN,
  bootstrap: ADMIN,
  etcdForfeitLeadership: ADMIN,
  etcdLeaveCluster: ADMIN,
  etcdMemberList: READER,
  etcdRemoveMemberByID: ADMIN,
  etcdStatus: READER,
  events: READER,
  hostname: READER,
  kubeconfig: ADMIN,
  list: READER,
  reboot: OPERATOR,
  reset: ADMIN,
  serviceList: READER,
  shutdown: OPERATOR,
  upgrade: ADMIN,
  version: READER,
};

/** @throws BloomeryError BLM_GRPC_STATUS PERMISSION_DENIED unless the caller's certificate has a role that may call this. */
export function checkRole(method: Method, { certifiedPeer }: CallContext): void {
  const roles = certifiedPeer()?.organizations ?? [];
  if (!roles.some((role) => ROLES[method].includes(role))) throw grpcError('PERMISSION_DENIED', 'not authorized');
}
