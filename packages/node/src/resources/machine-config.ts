import { type ResourceDefinition, yamlDocument } from '@bloomery/cosi';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { NodeConfig } from '../config/node-config.ts';

/** Id of the configuration that is in force. */
export const ACTIVE_CONFIG = 'v1alpha1';

/** Id of the configuration that the next start takes up: differs while one is tried or staged. */
export const PERSISTENT_CONFIG = 'persistent';

/** Where specs of single layers stand, under `<layer>/<id>`. Merged specs stand in `network`, under `<id>`. */
export const LAYERED = 'network-config';

/** Annotations of a MachineConfig: its YAML form is the text of the configuration, which talosctl then prints as it is. */
export const MACHINE_CONFIG_ANNOTATIONS = { 'talos.dev/yaml-spec': '1' } as const;

/** The machine configuration. In YAML one text, in protobuf field 1 of bytes. Compared by its text. */
export const MachineConfig: ResourceDefinition<NodeConfig> = {
  type: 'MachineConfigs.config.talos.dev',
  namespace: 'config',
  aliases: [],
  columns: [],
  sensitive: true,
  // A configuration with what was read of it takes up to some MB.
  historyMax: 16,
  codec: {
    equal: (a, b) => a.text === b.text,
    toYaml: ({ text }) => yamlDocument({ text }),
    toProtobuf: ({ text }) => new BinaryWriter().tag(1, WireType.LengthDelimited).string(text).finish(),
  },
};
