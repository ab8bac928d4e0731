import type { Resource } from '@bloomery/cosi';
import type { Device, DhcpOptions, NodeConfig, NodeDocument } from '../config/node-config.ts';
import { asNumber, asText } from '../config/plain-value.ts';
import type { ConfigLayer } from '../layers/index.ts';
import { isPhysicalLink, runsDefaultDhcp } from '../links/default-dhcp.ts';
import { allLinkNames, linkNames } from '../links/link-names.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import { type LinkSpec, type LinkStatus, OperatorSpec } from '../resources/index.ts';
import { DEFAULT_ROUTE_METRIC } from '../routes/route-spec.ts';

export interface OperatorPlanInput {
  readonly config: NodeConfig | undefined;
  readonly devices: readonly Device[];
  readonly links: readonly Resource<LinkStatus>[];
  /** Of all layers, from `network-config`. */
  readonly linkSpecs: readonly LinkSpec[];
  /** Kernel names, aliases or alternative names of links that kernel arguments want left alone. */
  readonly ignored: readonly string[];
  /** Also DHCP on links that nobody mentions. */
  readonly manageAll: boolean;
}

type ClientIdentifier = OperatorSpec['dhcp4']['clientIdentifier'];

interface Dhcp {
  readonly linkName: string;
  readonly layer: ConfigLayer;
  readonly routeMetric: number;
  readonly skipHostnameRequest?: boolean;
  readonly clientIdentifier?: ClientIdentifier;
}

const BY_MAC: ClientIdentifier = { clientIdentifier: 'mac', duidRawHex: '' };
const BY_NOTHING: ClientIdentifier = { clientIdentifier: 'none', duidRawHex: '' };

/** The operators that the configuration asks for, and those that run by default. Pure. @see spec/node.md section 7 */
export function planOperators(input: OperatorPlanInput): readonly OperatorSpec[] {
  const { config, devices, links } = input;
  const { resolve } = linkNames(links);
  const ignored = new Set(
    [...input.ignored, ...devices.filter(({ ignore }) => ignore === true).map((device) => device.interface)].map(
      resolve,
    ),
  );
  const specs = [
    ...devices
      .filter((device) => !ignored.has(resolve(device.interface)))
      .flatMap((device) => ofDevice(device, resolve)),
    ...(config?.documents ?? []).flatMap((document) => ofDocument(document, resolve)),
  ];
  return input.manageAll && runsDefaultDhcp(config) ? [...specs, ...defaultOperators(input, ignored)] : specs;
}

function ofDevice(device: Device, resolve: (name: string) => string): readonly OperatorSpec[] {
  return [
    ...ofDhcpOptions(resolve(device.interface), device),
    ...device.vlans.flatMap((vlan) => ofDhcpOptions(vlanLinkName(device.interface, vlan.vlanId), vlan)),
  ];
}

function ofDhcpOptions(
  linkName: string,
  { dhcp, dhcpOptions }: { readonly dhcp?: boolean; readonly dhcpOptions?: DhcpOptions },
): readonly OperatorSpec[] {
  if (dhcp !== true) return [];
  const routeMetric = dhcpOptions?.routeMetric || DEFAULT_ROUTE_METRIC;
  const common = { linkName, layer: 'configuration', routeMetric } as const;
  const duid = dhcpOptions?.duidv6 ?? '';
  return [
    ...(dhcpOptions?.ipv4 === false ? [] : [dhcp4Spec(common)]),
    ...(dhcpOptions?.ipv6 === true
      ? [dhcp6Spec({ ...common, ...(duid === '' ? {} : { clientIdentifier: byDuid(duid) }) })]
      : []),
  ];
}

/** DHCPv4Config and DHCPv6Config. */
function ofDocument(
  { kind, name = '', value }: NodeDocument,
  resolve: (name: string) => string,
): readonly OperatorSpec[] {
  if ((kind !== 'DHCPv4Config' && kind !== 'DHCPv6Config') || name === '') return [];
  const dhcp: Dhcp = {
    linkName: resolve(name),
    layer: 'configuration',
    // A metric of 0 is one, when it is written.
    routeMetric: value['routeMetric'] === undefined ? DEFAULT_ROUTE_METRIC : asNumber(value['routeMetric']),
    skipHostnameRequest: value['ignoreHostname'] === true,
    clientIdentifier: documentIdentifier(value),
  };
  return [kind === 'DHCPv4Config' ? dhcp4Spec(dhcp) : dhcp6Spec(dhcp)];
}

/** DHCP on hardware that neither the configuration nor the kernel arguments mention. */
function defaultOperators(
  { links, linkSpecs }: OperatorPlanInput,
  ignored: ReadonlySet<string>,
): readonly OperatorSpec[] {
  const { resolve } = linkNames(links);
  const configured = new Set(
    linkSpecs.filter(({ layer }) => layer !== 'default' && layer !== 'operator').map(({ name }) => resolve(name)),
  );
  return links
    .filter(
      (link) =>
        isPhysicalLink(link.spec) && !allLinkNames(link).some((name) => configured.has(name) || ignored.has(name)),
    )
    .map(({ metadata }) =>
      dhcp4Spec({
        linkName: metadata.id,
        layer: 'default',
        routeMetric: DEFAULT_ROUTE_METRIC,
        clientIdentifier: BY_MAC,
      }),
    );
}

const byDuid = (duidRawHex: string): ClientIdentifier => ({ clientIdentifier: 'duid', duidRawHex });

/** Documents identify a client by its MAC unless they say otherwise; `machine.network.interfaces` by nothing. */
function documentIdentifier(value: NodeDocument['value']): ClientIdentifier {
  const identifier = asText(value['clientIdentifier']);
  if (identifier === 'duid') return byDuid(hexDigits(asText(value['duidRaw'])));
  return identifier === 'none' ? BY_NOTHING : BY_MAC;
}

const hexDigits = (text: string): string => text.replaceAll(/[:\s]/g, '').toLowerCase();

function dhcp4Spec({ linkName, layer, ...dhcp }: Dhcp): OperatorSpec {
  const zero = OperatorSpec.make();
  return OperatorSpec.make({ operator: 'dhcp4', linkName, requireUp: true, dhcp4: { ...zero.dhcp4, ...dhcp }, layer });
}

function dhcp6Spec({ linkName, layer, ...dhcp }: Dhcp): OperatorSpec {
  const zero = OperatorSpec.make();
  return OperatorSpec.make({ operator: 'dhcp6', linkName, requireUp: true, dhcp6: { ...zero.dhcp6, ...dhcp }, layer });
}
