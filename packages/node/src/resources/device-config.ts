import { isDeepStrictEqual } from 'node:util';
import type { ResourceDefinition } from '@bloomery/cosi';
import { writeYaml, type YamlTree } from '@bloomery/talos';
import type { Device } from '../config/node-config.ts';

/**
 * One interface of the machine configuration, with its selectors resolved: `interface` is a name (kernel name, alias or alternative
 * name), members of bonds and bridges are names. Id: `<interface>/<index %03d>` of the configuration, and `/<match %03d>` when a
 * selector matches several links.
 */
export const DeviceConfigSpec: ResourceDefinition<Device> = {
  type: 'DeviceConfigSpecs.net.talos.dev',
  namespace: 'network',
  aliases: [],
  columns: [],
  sensitive: true,
  codec: {
    equal: (a, b) => isDeepStrictEqual(a, b),
    toYaml: (device) => writeYaml(yamlOf({ device })),
    // Upstream gives it no protobuf form either.
    toProtobuf: () => new Uint8Array(),
  },
};

/** What is absent is left out. */
const yamlOf = (value: unknown): YamlTree => JSON.parse(JSON.stringify(value));
