import { defineResource } from '@bloomery/cosi';

/** What a cloud says of the network of a machine. The daemon runs on no cloud: served for clients, always empty. */
export const PlatformConfig = defineResource({
  type: 'PlatformConfigs.net.talos.dev',
  namespace: 'network',
  spec: {},
});
