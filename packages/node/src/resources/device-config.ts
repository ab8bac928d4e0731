import { isDeepStrictEqual } from 'node:util';
import { type ResourceDefinition, type YamlNode, yamlDocument } from '@bloomery/cosi';
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
    toYaml: (device) => yamlDocument(nodeOf({ device })),
    // Upstream gives it no protobuf form either.
    toProtobuf: () => new Uint8Array(),
  },
};

/** A plain value; what is absent is left out. */
function nodeOf(value: unknown): YamlNode {
  if (typeof value === 'string') return { text: value };
  if (Array.isArray(value)) return { list: value.map(nodeOf) };
  if (typeof value !== 'object' || value === null) return { plain: String(value) };
  const given = Object.entries(value).filter(([, part]) => part !== undefined);
  return { map: given.map(([key, part]) => [key, nodeOf(part)] as const) };
}
