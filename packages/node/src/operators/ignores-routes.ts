import type { NodeConfig } from '../config/node-config.ts';
import type { OperatorSpec } from '../resources/index.ts';

/**
 * Whether a DHCPv4Config or DHCPv6Config of the link says `ignoreRoutes`. (Talos 1.13 has no field for it in its OperatorSpec.)
 *
 * @param resolve from a name in the configuration to the kernel's.
 */
export function ignoresRoutes(
  config: Pick<NodeConfig, 'documents'> | undefined,
  { operator, linkName }: Pick<OperatorSpec, 'operator' | 'linkName'>,
  resolve: (name: string) => string,
): boolean {
  const wanted = operator === 'dhcp6' ? 'DHCPv6Config' : 'DHCPv4Config';
  return (config?.documents ?? []).some(
    ({ kind, name = '', value }) => kind === wanted && value['ignoreRoutes'] === true && resolve(name) === linkName,
  );
}
