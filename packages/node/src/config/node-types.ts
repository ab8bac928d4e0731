import { extendTypes, type TypeTable } from '@bloomery/talos';

const META = { type: 'meta.Meta', inline: true };
const COMMON_LINK = { type: 'network.CommonLinkConfig', inline: true };
const NAME = { yaml: 'name', type: 'string' };

/**
 * What the daemon takes beyond Talos 1.13: `address` as the networking documents write it, one WireGuard peer without a list, device
 * selectors of bridges, split DNS (`ResolverConfig.domains`), host names after the address, and kinds and fields of Talos 1.14.
 *
 * @see spec/node.md sections 5 and 11
 */
export const NODE_TYPES: TypeTable = extendTypes({
  fields: {
    'v1alpha1.Device': [{ yaml: 'address', type: 'string' }],
    'v1alpha1.Vlan': [{ yaml: 'address', type: 'string' }],
    'v1alpha1.Bridge': [{ yaml: 'deviceSelectors', type: '[]v1alpha1.NetworkDeviceSelector' }],
    'v1alpha1.DeviceWireguardConfig': [{ yaml: 'peers', type: 'lone[]*v1alpha1.DeviceWireguardPeer' }],
    'network.NameserverConfig': [
      { yaml: 'protocol', type: 'string' },
      { yaml: 'tlsServerName', type: 'string' },
    ],
    'network.ResolverConfigV1Alpha1': [
      { yaml: 'hostDNS', type: '*v1alpha1.HostDNSConfig' },
      { yaml: 'domains', type: '[]bloomery.ResolverDomain' },
    ],
    // Talos has the word, and refuses it.
    'network.HostnameConfigV1Alpha1': [{ yaml: 'auto', type: '*string' }],
    'bloomery.ResolverDomain': [NAME, { yaml: 'nameservers', type: '[]network.NameserverConfig' }],
    'network.BondConfigV1Alpha1': [{ yaml: 'primary', type: 'string' }],
    'network.DHCPv4ConfigV1Alpha1': [{ yaml: 'ignoreRoutes', type: '*bool' }],
    'network.DHCPv6ConfigV1Alpha1': [{ yaml: 'ignoreRoutes', type: '*bool' }],
    'network.NTPConfig': [{ yaml: 'useNTS', type: '*bool' }],
    'network.VethConfigV1Alpha1': [META, NAME, COMMON_LINK, { yaml: 'peer', type: '*network.VethPeerConfig' }],
    'network.VethPeerConfig': [NAME, COMMON_LINK],
    'network.HTTPProbeConfigV1Alpha1': [
      META,
      NAME,
      { type: 'network.CommonProbeConfig', inline: true },
      { yaml: 'endpoint', type: 'string' },
      { yaml: 'timeout', type: 'int64(time.Duration)' },
    ],
  },
  documents: [
    {
      apiVersion: 'v1alpha1',
      kind: 'KubespanEndpointsConfig',
      named: false,
      type: 'network.KubespanEndpointsConfigV1Alpha1',
    },
    { apiVersion: 'v1alpha1', kind: 'VethConfig', named: true, type: 'network.VethConfigV1Alpha1' },
    { apiVersion: 'v1alpha1', kind: 'HTTPProbeConfig', named: true, type: 'network.HTTPProbeConfigV1Alpha1' },
  ],
});

/** Other names of kinds. */
export const KIND_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['KubespanEndpointsConfig', 'KubeSpanEndpointsConfig'],
]);
