import type { Resource } from '@bloomery/cosi';
import type { Device, NodeConfig } from '../config/node-config.ts';
import { compareTexts } from '../layers/compare-texts.ts';
import { LinkSpec, type LinkStatus } from '../resources/links.ts';
import { isPhysicalLink, runsDefaultDhcp } from './default-dhcp.ts';
import { draftDevice, type KnownLinks, type PlacedDevice } from './device-links.ts';
import { draftDocument, linksMentioned } from './document-links.ts';
import { createLinkDrafts } from './link-drafts.ts';
import { allLinkNames, linkNames } from './link-names.ts';

export interface LinkPlanInput {
  readonly config: NodeConfig | undefined;
  /** DeviceConfigSpecs. */
  readonly devices: readonly Resource<Device>[];
  readonly links: readonly Resource<LinkStatus>[];
  /** Names of links that kernel arguments configure, or say to leave alone. */
  readonly byKernelArguments: readonly string[];
  /** Also bring up `lo`, and links that nobody mentions while default DHCP runs. */
  readonly manageAll: boolean;
}

export interface LinkPlan {
  /** Of the layers `default` and `configuration`; at most one of each layer for each link. */
  readonly specs: readonly LinkSpec[];
  /** Links claimed twice, by both places. */
  readonly warnings: readonly string[];
  /** Which link a name means that is an alias or alternative name. */
  readonly hints: readonly string[];
}

/** The links that the configuration asks for. Pure. @see spec/node.md section 4 */
export function planLinks(input: LinkPlanInput): LinkPlan {
  const { config, links, manageAll } = input;
  const known = knownLinks(links);
  const devices = inOrderOfIds(input.devices);
  const documents = config?.documents ?? [];
  const drafts = createLinkDrafts();
  for (const device of devices) draftDevice(device, drafts, known);
  for (const document of documents) draftDocument(document, drafts, known);
  const mentioned = [...devices.flatMap(namesOfDevice), ...documents.flatMap(linksMentioned)];
  return {
    specs: [...drafts.specs, ...(manageAll ? defaultLinks(input, mentioned) : [])],
    warnings: drafts.warnings,
    hints: [...new Set(mentioned.flatMap((name) => hintOf(name, known)))],
  };
}

function defaultLinks({ config, links, byKernelArguments }: LinkPlanInput, mentioned: readonly string[]): LinkSpec[] {
  const up = (name: string): LinkSpec => LinkSpec.make({ name, up: true, layer: 'default' });
  if (!runsDefaultDhcp(config)) return [up('lo')];
  const configured = new Set([...mentioned, ...byKernelArguments]);
  const free = links.filter(
    (link) => isPhysicalLink(link.spec) && !allLinkNames(link).some((name) => configured.has(name)),
  );
  return [up('lo'), ...free.map(({ metadata }) => up(metadata.id))];
}

const namesOfDevice = ({ device }: PlacedDevice): readonly string[] => [
  device.interface,
  ...(device.bond?.interfaces ?? []),
  ...(device.bridge?.interfaces ?? []),
];

function hintOf(name: string, { names }: KnownLinks): readonly string[] {
  const found = names.find(name);
  if (found === undefined || found.by === 'name') return [];
  return [`${name} is ${found.by === 'alias' ? 'the alias' : 'an alternative name'} of link ${found.name}`];
}

function knownLinks(links: readonly Resource<LinkStatus>[]): KnownLinks {
  const names = linkNames(links);
  const indexes = new Map(links.map(({ metadata, spec }) => [metadata.id, spec.index]));
  return { names, indexOf: (name) => indexes.get(names.resolve(name)) };
}

/**
 * In the order of their ids, in which addresses, routes and operators take them, too: of two interfaces of one link, the one whose name
 * comes later has the last word. Ids end in `/<index>` and, for several matches, `/<match>`.
 */
function inOrderOfIds(devices: readonly Resource<Device>[]): readonly PlacedDevice[] {
  return devices
    .toSorted((a, b) => compareTexts(a.metadata.id, b.metadata.id))
    .map(({ metadata, spec: device }) => {
      const [index = 0] = metadata.id
        .slice(device.interface.length + 1)
        .split('/')
        .map(Number);
      const line = device.line === undefined ? '' : `, line ${device.line}`;
      return { device, place: `machine.network.interfaces[${index}]${line}` };
    });
}
