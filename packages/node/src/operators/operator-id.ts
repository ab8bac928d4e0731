import type { OperatorSpec } from '../resources/index.ts';

/** Id of an operator: `dhcp4/eth0`, `vip/eth0/10.0.0.5`. */
export function operatorId({ operator, linkName, vip }: OperatorSpec): string {
  return operator === 'vip' ? `${operator}/${linkName}/${vip.ip}` : `${operator}/${linkName}`;
}
