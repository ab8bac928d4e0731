import type { ResourceDefinition } from '@bloomery/cosi';
import type { NodeConfig } from '../config/node-config.ts';

/** Id of the configuration that is in force. */
export const ACTIVE_CONFIG = 'v1alpha1';

/** Id of the configuration that the next start takes up: differs while one is tried or staged. */
export const PERSISTENT_CONFIG = 'persistent';

/** Where specs of single layers stand, under `<layer>/<id>`. Merged specs stand in `network`, under `<id>`. */
export const LAYERED = 'network-config';

/** The machine configuration. In YAML its own text; in protobuf field 1 of bytes. Compared by its text. */
export const MachineConfig: ResourceDefinition<NodeConfig> = {
  type: 'MachineConfigs.config.talos.dev',
  namespace: 'config',
  aliases: [],
  columns: [],
  sensitive: true,
  codec: {
    equal: (a, b) => a.text === b.text,
    // The owners of cosi (text as YAML, bytes) and api finish these two.
    toYaml: (config) => config.text,
    toProtobuf: () => new Uint8Array(),
  },
};
