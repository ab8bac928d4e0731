import { type NameOf, type ResourceDefinition, yamlDocument } from '@bloomery/cosi';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { MACHINE_TYPE } from './enumerations.ts';

/** Id of the only one. */
export const MACHINE_TYPE_ID = 'machine-type';

/** What the machine is in its cluster. In YAML just the name. */
export type MachineType = Exclude<NameOf<typeof MACHINE_TYPE>, `${number}`>;

export const MachineType: ResourceDefinition<MachineType> = {
  type: 'MachineTypes.config.talos.dev',
  namespace: 'config',
  aliases: [],
  columns: [['Type', '{@}']],
  sensitive: false,
  codec: {
    equal: (a, b) => a === b,
    toYaml: (type) => yamlDocument({ text: type }),
    toProtobuf: (type) => new BinaryWriter().tag(1, WireType.Varint).int32(MACHINE_TYPE[type]).finish(),
  },
};
