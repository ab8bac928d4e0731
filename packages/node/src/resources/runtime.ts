import { bool, defineResource, ip, list, type SpecOf, text } from '@bloomery/cosi';

export const DevicesStatus = defineResource({
  type: 'DevicesStatuses.runtime.talos.dev',
  namespace: 'runtime',
  columns: [['Ready', '{.ready}']],
  spec: {
    ready: bool(1),
  },
});
export type DevicesStatus = SpecOf<typeof DevicesStatus>;

export const Environment = defineResource({
  type: 'Environments.runtime.talos.dev',
  namespace: 'runtime',
  aliases: ['env'],
  columns: [['Variables', '{.variables}']],
  spec: {
    variables: list(1, text(1)),
  },
});
export type Environment = SpecOf<typeof Environment>;

export const MaintenanceServiceConfig = defineResource({
  type: 'MaintenanceServiceConfigs.runtime.talos.dev',
  namespace: 'runtime',
  spec: {
    listenAddress: text(1),
    reachableAddresses: list(2, ip(1)),
  },
});
export type MaintenanceServiceConfig = SpecOf<typeof MaintenanceServiceConfig>;

export const MaintenanceServiceRequest = defineResource({
  type: 'MaintenanceServiceRequests.runtime.talos.dev',
  namespace: 'runtime',
  spec: {},
});
export type MaintenanceServiceRequest = SpecOf<typeof MaintenanceServiceRequest>;
