import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { checkNodeConfig, loadNodeConfig } from './load-node-config.ts';

const KEY = 'mB6WlFOR66Jx5rtPMIpxJ3s4XHyer9NCzqWPP7idGRo=';

function refusal(text: string): string {
  try {
    loadNodeConfig(text);
  } catch (error) {
    assert.ok(isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID'), String(error));
    return error.message;
  }
  assert.fail('the configuration was taken');
}

/** The lines of a refusal without their head. */
const problems = (text: string): string[] => refusal(text).split('\n\t* ').slice(1);

describe('a machine configuration for the node', () => {
  it('may leave out what only Kubernetes needs', () => {
    const { machine, cluster, documents } = loadNodeConfig('machine:\n  type: worker\n');
    assert.equal(machine?.type, 'worker');
    assert.equal(cluster, undefined);
    assert.deepEqual(documents, []);
  });

  it('has its v1alpha1 sections as controllers read them', () => {
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    const { machine, cluster } = loadNodeConfig(`
version: v1alpha1
machine:
  type: controlplane
  token: abc.def
  ca: {crt: ${encode('CERT')}, key: ${encode('KEY')}}
  acceptedCAs: [{crt: ${encode('OTHER')}}]
  certSANs: [node.example]
  env: {https_proxy: http://proxy:3128, "no_proxy": "a,b"}
  sysctls: {net.ipv4.ip_forward: "1"}
  time: {servers: [ntp.example], disabled: false}
  files: [{path: /etc/ssl/certs/ca-certificates, op: append, permissions: 0o644, content: PEM}]
  features: {rbac: true, stableHostname: true, hostDNS: {enabled: true, forwardKubeDNSToHost: true}}
  network:
    hostname: a.example
    nameservers: [10.0.0.1]
    searchDomains: [example]
    disableSearchDomain: true
    extraHostEntries: [{ip: 10.0.0.2, aliases: [b, b.example]}]
cluster:
  id: an-id
  secret: a-secret
  clusterName: a-name
  controlPlane: {endpoint: "https://10.0.0.9:6443"}
  network: {podSubnets: [10.244.0.0/16], serviceSubnets: [10.96.0.0/12]}
  discovery: {enabled: false}
`);
    assert.deepEqual(machine, {
      type: 'controlplane',
      token: 'abc.def',
      ca: { crt: 'CERT', key: 'KEY' },
      acceptedCAs: [{ crt: 'OTHER' }],
      certSANs: ['node.example'],
      env: { https_proxy: 'http://proxy:3128', no_proxy: 'a,b' },
      files: [{ path: '/etc/ssl/certs/ca-certificates', op: 'append', content: 'PEM', permissions: 0o644 }],
      sysctls: { 'net.ipv4.ip_forward': '1' },
      time: { disabled: false, servers: ['ntp.example'] },
      network: {
        hostname: 'a.example',
        interfaces: [],
        nameservers: ['10.0.0.1'],
        searchDomains: ['example'],
        disableSearchDomain: true,
        extraHostEntries: [{ ip: '10.0.0.2', aliases: ['b', 'b.example'] }],
      },
      hostDNS: { enabled: true, forwardKubeDNSToHost: true },
      rbac: true,
      stableHostname: true,
    });
    assert.deepEqual(cluster, {
      id: 'an-id',
      secret: 'a-secret',
      name: 'a-name',
      controlPlaneEndpoint: 'https://10.0.0.9:6443',
      podSubnets: ['10.244.0.0/16'],
      serviceSubnets: ['10.96.0.0/12'],
    });
  });

  it('has its interfaces with every part', () => {
    const { machine } = loadNodeConfig(`machine:
  type: controlplane
  ca: {crt: QQ==, key: QQ==}
  network:
    interfaces:
      - interface: eth0
        mtu: 9000
        addresses: [10.0.0.1/24]
        routes: [{network: 0.0.0.0/0, gateway: 10.0.0.254, metric: 5}]
        vip: {ip: 10.0.0.9}
        vlans: [{vlanId: 7, dhcp: true, dhcpOptions: {routeMetric: 10, ipv6: true}}]
      - interface: bond0
        bond: {mode: 802.3ad, lacpRate: fast, miimon: 100, deviceSelectors: [{driver: e1000*, physical: true}]}
      - interface: br0
        bridge: {stp: {enabled: true}, vlan: {vlanFiltering: false}, deviceSelectors: [{busPath: "0*"}]}
      - interface: wg0
        wireguard:
          privateKey: ${KEY}
          listenPort: 51820
          peers: [{publicKey: ${KEY}, endpoint: "10.0.0.7:51820", persistentKeepaliveInterval: 25s, allowedIPs: [10.1.0.0/16]}]
      - {interface: dummy0, dummy: true}
      - {interface: eth9, ignore: true}
`);
    const none = { addresses: [], routes: [], vlans: [], mtu: 0 };
    assert.deepEqual(machine?.network.interfaces, [
      {
        interface: 'eth0',
        line: 6,
        addresses: ['10.0.0.1/24'],
        routes: [{ network: '0.0.0.0/0', gateway: '10.0.0.254', source: '', metric: 5, mtu: 0 }],
        mtu: 9000,
        vip: { ip: '10.0.0.9' },
        vlans: [
          { vlanId: 7, addresses: [], routes: [], mtu: 0, dhcp: true, dhcpOptions: { routeMetric: 10, ipv6: true } },
        ],
      },
      {
        ...none,
        interface: 'bond0',
        line: 12,
        bond: {
          interfaces: [],
          deviceSelectors: [{ driver: 'e1000*', physical: true }],
          options: { mode: '802.3ad', lacpRate: 'fast', miimon: 100 },
        },
      },
      {
        ...none,
        interface: 'br0',
        line: 14,
        bridge: { interfaces: [], deviceSelectors: [{ busPath: '0*' }], stp: true, vlanFiltering: false },
      },
      {
        ...none,
        interface: 'wg0',
        line: 16,
        wireguard: {
          privateKey: KEY,
          listenPort: 51820,
          firewallMark: 0,
          peers: [
            {
              publicKey: KEY,
              endpoint: '10.0.0.7:51820',
              persistentKeepaliveMs: 25_000,
              allowedIPs: ['10.1.0.0/16'],
            },
          ],
        },
      },
      { ...none, interface: 'dummy0', line: 21, dummy: true },
      { ...none, interface: 'eth9', line: 22, ignore: true },
    ]);
  });

  it('may be of documents only, which know their lines', () => {
    const text = `apiVersion: v1alpha1
kind: LinkConfig
name: eth0
addresses: [{address: 10.0.0.1/24}]
---
# nothing
---
apiVersion: v1alpha1
kind: HostnameConfig
hostname: a
`;
    assert.deepEqual(loadNodeConfig(text), {
      text,
      documents: [
        {
          kind: 'LinkConfig',
          name: 'eth0',
          line: 1,
          value: {
            apiVersion: 'v1alpha1',
            kind: 'LinkConfig',
            name: 'eth0',
            addresses: [{ address: '10.0.0.1/24' }],
          },
        },
        {
          kind: 'HostnameConfig',
          line: 8,
          value: { apiVersion: 'v1alpha1', kind: 'HostnameConfig', hostname: 'a' },
        },
      ],
    });
  });

  it('tells what Talos warns of', () => {
    const { warnings } = checkNodeConfig(
      'machine: {type: worker, network: {interfaces: [{interface: a, cidr: 10.0.0.1/8}]}}',
    );
    assert.deepEqual(warnings, [
      '"a": machine.network.interface.cidr is deprecated, please use machine.network.interface.addresses',
    ]);
  });

  for (const file of ['config_to_specs', 'device_selectors']) {
    it(`is taken in every form of the vectors ${file}`, () => {
      const path = join(process.env['VECTORS'] ?? 'test/vectors', 'node', `${file}.json`);
      const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: { config: string }[] };
      for (const { config } of cases) if (config !== '') loadNodeConfig(config);
    });
  }
});

describe('what the node takes and Talos 1.13 does not', () => {
  it('is the one address of the networking documents', () => {
    const { machine } = loadNodeConfig(`machine:
  type: worker
  network:
    interfaces:
      - deviceSelector: {driver: virtio, hardwareAddr: "00:00:*"}
        address: 192.168.88.21
        vlans: [{vlanId: 5, address: 10.5.0.1/24, addresses: [10.5.0.2/24]}]
`);
    const [device] = machine?.network.interfaces ?? [];
    assert.deepEqual(device?.addresses, ['192.168.88.21']);
    assert.deepEqual(device?.deviceSelector, { driver: 'virtio', hardwareAddr: '00:00:*' });
    assert.deepEqual(device?.vlans[0]?.addresses, ['10.5.0.1/24', '10.5.0.2/24']);
  });

  it('is one WireGuard peer that is not in a list', () => {
    const { machine } = loadNodeConfig(`machine:
  type: worker
  network:
    interfaces:
      - interface: wg0
        wireguard:
          privateKey: ${KEY}
          peers:
            allowedIPs: [192.168.88.0/24]
            endpoint: 209.202.254.14:8172
            publicKey: ${KEY}
`);
    assert.deepEqual(
      machine?.network.interfaces[0]?.wireguard?.peers.map(({ endpoint }) => endpoint),
      ['209.202.254.14:8172'],
    );
  });

  const taken: [name: string, document: string][] = [
    [
      'resolvers of single domains',
      'kind: ResolverConfig\ndomains: [{name: corp.example, nameservers: [{address: 10.0.0.1}]}]',
    ],
    [
      'encrypted upstreams',
      'kind: ResolverConfig\nnameservers: [{address: 1.1.1.1, protocol: DoT, tlsServerName: one.example}]',
    ],
    ['host DNS beside the resolvers', 'kind: ResolverConfig\nhostDNS: {enabled: true}'],
    ['pairs of virtual links', 'kind: VethConfig\nname: a\npeer: {name: b, addresses: [{address: 10.0.0.1/24}]}'],
    [
      'probes over HTTP',
      'kind: HTTPProbeConfig\nname: a\nendpoint: https://a.example/ok\ninterval: 1s\nfailureThreshold: 3\ntimeout: 2s',
    ],
    ['a host name after the address', 'kind: HostnameConfig\nauto: addr'],
    ['the primary link of a bond', 'kind: BondConfig\nname: b\nlinks: [eth0]\nbondMode: active-backup\nprimary: eth0'],
  ];
  for (const [name, document] of taken) {
    it(`is ${name}`, () => {
      const { documents } = loadNodeConfig(`apiVersion: v1alpha1\n${document}\n`);
      assert.equal(documents.length, 1);
    });
  }
});

describe('further kinds', () => {
  it('have one name', () => {
    const text = 'apiVersion: v1alpha1\nkind: KubespanEndpointsConfig\nextraAnnouncedEndpoints: ["10.0.0.1:51820"]\n';
    assert.deepEqual(
      loadNodeConfig(text).documents.map(({ kind }) => kind),
      ['KubeSpanEndpointsConfig'],
    );
  });

  it('of host names are off, stable or addr', () => {
    const document = (auto: string): string => `apiVersion: v1alpha1\nkind: HostnameConfig\nauto: ${auto}\n`;
    for (const auto of ['off', 'stable', 'addr']) loadNodeConfig(document(auto));
    assert.deepEqual(problems(document('junk')), ["HostnameConfig: invalid value for 'auto': junk (auto, line 3)"]);
  });
});

describe('what is wrong with a configuration', () => {
  it('is that there is none', () => {
    assert.equal(refusal('---\n---\n'), 'reading machine configuration: config not found');
  });

  it('is told with its key and line when a key is unknown', () => {
    assert.match(
      refusal('machine:\n  network:\n    foo: 1\n'),
      /^reading machine configuration: document 1, \/v1alpha1: machine\.network\.foo \(line 3\): unknown key/,
    );
  });

  it('is a dot for the colon of an endpoint', () => {
    const listed = problems(`machine:
  type: worker
  network:
    interfaces:
      - interface: wg0
        wireguard:
          privateKey: ${KEY}
          peers:
            - publicKey: ${KEY}
              endpoint: 209.202.254.14.8172
`);
    const where = '(machine.network.interfaces.0.wireguard.peers.0.endpoint, line 10)';
    assert.deepEqual(listed, [
      `peer endpoint "209.202.254.14.8172" is invalid: it is not host:port; did you mean 209.202.254.14:8172 ${where}`,
    ]);
  });

  it('is nothing of an interface that is ignored, as with Talos', () => {
    const text = `machine: {type: worker, network: {interfaces: [{interface: wg0, ignore: true, mtu: -1, wireguard: {peers: [{publicKey: x, endpoint: y}]}}]}}\n`;
    assert.doesNotThrow(() => loadNodeConfig(text));
  });

  it('is a dot for the colon of an endpoint in a document, too', () => {
    const text = `apiVersion: v1alpha1\nkind: WireguardConfig\nname: wg0\nprivateKey: ${KEY}\npeers: [{publicKey: ${KEY}, endpoint: 1.2.3.4.5}]\n`;
    assert.deepEqual(problems(text), [
      'peer endpoint "1.2.3.4.5" is invalid: it is not host:port; did you mean 1.2.3.4:5 (peers.0.endpoint, line 5)',
    ]);
  });

  it('is a number that no kernel takes, which no resource could hold', () => {
    const wireguard = `{privateKey: ${KEY}, listenPort: 99999, firewallMark: -1, peers: [{publicKey: ${KEY}, persistentKeepaliveInterval: -5s}]}`;
    const listed = problems(`machine:
  type: worker
  network:
    interfaces:
      - {interface: eth0, mtu: -5}
      - {interface: eth1, mtu: 99999999999}
      - interface: wg0
        wireguard: ${wireguard}
`);
    const path = 'machine.network.interfaces';
    assert.deepEqual(listed, [
      `mtu -5 is not from 0 to 4294967295 (${path}.0.mtu, line 5)`,
      `mtu 99999999999 is not from 0 to 4294967295 (${path}.1.mtu, line 6)`,
      `listenPort 99999 is not from 0 to 65535 (${path}.2.wireguard.listenPort, line 8)`,
      `firewallMark -1 is not from 0 to 4294967295 (${path}.2.wireguard.firewallMark, line 8)`,
      `persistentKeepaliveInterval -5s is not from 0s to 65535s (${path}.2.wireguard.peers.0.persistentKeepaliveInterval, line 8)`,
    ]);
  });

  it('is a gateway of another IP family than the network behind it', () => {
    const route = 'routes: [{network: 10.0.0.0/8, gateway: "fe80::1"}]';
    const listed = problems(`machine:
  type: worker
  network:
    interfaces:
      - {interface: eth0, ${route}, vlans: [{vlanId: 5, ${route}}]}
---
apiVersion: v1alpha1
kind: VethConfig
name: a
routes: [{destination: "fd00::/8", gateway: 10.0.0.1}, {destination: "::/0", gateway: "fe80::1"}]
peer: {name: b, routes: [{gateway: 10.0.0.1}, {destination: "fd01::/16", gateway: 10.0.0.2}]}
`);
    const path = 'machine.network.interfaces.0';
    assert.deepEqual(listed, [
      `route to 10.0.0.0/8: gateway fe80::1 is of another IP family (${path}.routes.0.gateway, line 5)`,
      `route to 10.0.0.0/8: gateway fe80::1 is of another IP family (${path}.vlans.0.routes.0.gateway, line 5)`,
      'route to fd00::/8: gateway 10.0.0.1 is of another IP family (routes.0.gateway, line 10)',
      'route to fd01::/16: gateway 10.0.0.2 is of another IP family (peer.routes.1.gateway, line 11)',
    ]);
  });

  it('is a key of WireGuard that is none, with its place', () => {
    const keys = 'privateKey: <privatekey>, peers: {publicKey: ABCDEF...}';
    const listed = problems(
      `machine:\n  type: worker\n  network:\n    interfaces:\n      - {interface: wg0, wireguard: {${keys}}}\n`,
    );
    const path = 'machine.network.interfaces.0.wireguard';
    assert.deepEqual(listed, [
      `private key is invalid: illegal base64 data (${path}.privateKey, line 5)`,
      `public key invalid: illegal base64 data (${path}.peers.0.publicKey, line 5)`,
    ]);
  });

  it('never quotes a private key', () => {
    const text = `machine: {type: worker, network: {interfaces: [{interface: wg0, wireguard: {privateKey: c2VjcmV0}}]}}`;
    assert.doesNotMatch(refusal(text), /c2VjcmV0/);
  });

  const cases: [name: string, text: string, want: string[]][] = [
    [
      'an address that is none',
      'machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: eth0\n        addresses: [10.0.0.1/33]\n',
      [
        '[networking.os.device.addresses] "eth0": invalid CIDR address: 10.0.0.1/33 (machine.network.interfaces.0.addresses.0, line 6)',
      ],
    ],
    [
      'forwarding without host DNS',
      'machine:\n  type: worker\n  features:\n    hostDNS: {forwardKubeDNSToHost: true}\n',
      [
        'feature hostDNS.forwardKubeDNSToHost requires hostDNS.enabled to be true (.machine.features.hostDNS) (machine.features.hostDNS, line 4)',
      ],
    ],
    [
      'a VLAN without a parent',
      'machine: {type: worker}\n---\napiVersion: v1alpha1\nkind: VLANConfig\nname: v\nvlanID: 5\n',
      ['VLANConfig/v: parent must be specified (line 3)'],
    ],
    [
      'a bridge with members by name and by selector',
      'machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: br0\n        bridge:\n          interfaces: [eth0]\n          deviceSelectors: [{driver: x}]\n',
      [
        'a bridge has both interfaces and deviceSelectors set (machine.network.interfaces.0.bridge.interfaces, line 7, and machine.network.interfaces.0.bridge.deviceSelectors, line 8)',
      ],
    ],
    [
      'a domain without resolvers, and a domain twice',
      'apiVersion: v1alpha1\nkind: ResolverConfig\ndomains:\n  - name: a.example\n    nameservers: [{address: 10.0.0.1}]\n  - name: A.example.\n',
      [
        'domain "a.example" needs at least one nameserver (domains.1.name, line 6)',
        'domain "a.example" is given twice (domains.0.name, line 4, and domains.1.name, line 6)',
      ],
    ],
    [
      'an unknown protocol of a resolver',
      'apiVersion: v1alpha1\nkind: ResolverConfig\nnameservers:\n  - address: 1.1.1.1\n    protocol: DoX\n',
      ['nameserver protocol "DoX" is none of Do53, DoT and DoH (nameservers.0.protocol, line 5)'],
    ],
    [
      'a virtual link that is its own peer',
      'apiVersion: v1alpha1\nkind: VethConfig\nname: a\npeer: {name: a}\n',
      ['VethConfig/a: the peer needs another name (peer.name, line 4)'],
    ],
  ];
  for (const [name, text, want] of cases) it(`is ${name}`, () => assert.deepEqual(problems(text), want));
});

describe('conflicts of a configuration name both places', () => {
  const cases: [name: string, text: string, want: RegExp][] = [
    [
      'a link as interface and as document',
      'machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: eth1\n        vlans:\n          - vlanId: 5\n---\napiVersion: v1alpha1\nkind: VLANConfig\nname: eth1.5\nvlanID: 5\nparent: eth1\n',
      /link "eth1\.5" is defined twice: by machine\.network\.interfaces\.0\.vlans\.0 \(line 7\) and by VLANConfig\/eth1\.5 \(line 9\)/,
    ],
    [
      'a link that two interfaces make',
      'machine:\n  type: worker\n  network:\n    interfaces:\n      - {interface: x, dummy: true}\n      - {interface: x, bridge: {interfaces: []}}\n',
      /link "x" is defined twice: by machine\.network\.interfaces\.0 \(line 5\) and by machine\.network\.interfaces\.1 \(line 6\)/,
    ],
    [
      'two documents of one kind and name',
      'apiVersion: v1alpha1\nkind: LinkConfig\nname: a\n---\napiVersion: v1alpha1\nkind: LinkConfig\nname: a\n',
      /document 2 \(line 5\): duplicate document v1alpha1\/LinkConfig\/a is not allowed; the other one is document 1 \(line 1\)/,
    ],
    [
      'two documents that make one link',
      'apiVersion: v1alpha1\nkind: DummyLinkConfig\nname: a\n---\napiVersion: v1alpha1\nkind: VethConfig\nname: a\npeer: {name: b}\n',
      /document 2 \(line 5\): conflicting documents: DummyLinkConfig\/a and VethConfig\/a; the other one is document 1 \(line 1\)/,
    ],
    [
      'the peer of a pair and another link',
      'apiVersion: v1alpha1\nkind: DummyLinkConfig\nname: b\n---\napiVersion: v1alpha1\nkind: VethConfig\nname: a\npeer:\n  name: b\n',
      /link "b" is defined twice: by DummyLinkConfig\/b \(line 1\) and by the peer of VethConfig\/a \(line 9\)/,
    ],
    [
      'one VLAN under two names',
      ['a', 'b']
        .map((name) => `apiVersion: v1alpha1\nkind: VLANConfig\nname: ${name}\nvlanID: 5\nparent: eth0\n`)
        .join('---\n'),
      /VLAN 5 of link "eth0" is defined twice: by VLANConfig\/a \(line 1\) and VLANConfig\/b \(line 7\)/,
    ],
    [
      'the host name',
      'machine:\n  type: worker\n  network:\n    hostname: a\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: b\n',
      /static hostname is already set in v1alpha1 config \(machine\.network\.hostname, line 4, and HostnameConfig, line 6\)/,
    ],
    [
      'host DNS',
      'machine:\n  type: worker\n  features:\n    hostDNS: {enabled: true}\n---\napiVersion: v1alpha1\nkind: ResolverConfig\nhostDNS: {enabled: true}\n',
      /host DNS is configured in both .* \(machine\.features\.hostDNS, line 4, and ResolverConfig hostDNS, line 8\)/,
    ],
  ];
  for (const [name, text, want] of cases) it(name, () => assert.match(refusal(text), want));

  it('a member of two links', () => {
    const devices =
      '      - {interface: bond0, bond: {mode: active-backup, interfaces: [eth0, eth1]}}\n      - interface: br0\n        bridge:\n          interfaces: [eth1]\n';
    assert.deepEqual(problems(`machine:\n  type: worker\n  network:\n    interfaces:\n${devices}`), [
      'interface "eth1" is declared as part of two separate links: "bond0" and "br0" (machine.network.interfaces.0.bond.interfaces.1, line 5, and machine.network.interfaces.1.bridge.interfaces.0, line 8)',
    ]);
    const bridge = (name: string): string => `apiVersion: v1alpha1\nkind: BridgeConfig\nname: ${name}\nlinks: [eth0]\n`;
    assert.deepEqual(checkNodeConfig(`${bridge('a')}---\n${bridge('b')}`).warnings, [
      'link "eth0" is a member of two links, and the last one wins: "a" (links.0, line 4) and "b" (links.0, line 9)',
    ]);
    const bond =
      'machine: {type: worker, network: {interfaces: [{interface: bond0, bond: {mode: active-backup, interfaces: [eth0]}}]}}\n';
    assert.deepEqual(checkNodeConfig(`${bridge('a')}---\n${bond}`).warnings, [
      'link "eth0" is a member of two links, and the last one wins: "bond0" (machine.network.interfaces.0.bond.interfaces.0, line 6) and "a" (links.0, line 4)',
    ]);
  });

  it('but a document may add to an interface, and an interface may stand twice', () => {
    loadNodeConfig(`machine:
  type: worker
  network:
    interfaces: [{interface: eth0, mtu: 1400}, {interface: eth0, addresses: [10.0.0.1/24]}, {interface: eth1, ignore: true}]
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth0
`);
  });
});

describe('hostile configurations', () => {
  const seeds = [
    `machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: wg0\n        wireguard: {privateKey: ${KEY}, peers: [{publicKey: ${KEY}, endpoint: "a:1"}]}\n`,
    'apiVersion: v1alpha1\nkind: ResolverConfig\nnameservers: [{address: 1.1.1.1}]\ndomains: [{name: a.b, nameservers: [{address: 1.1.1.1}]}]\n---\napiVersion: v1alpha1\nkind: LinkConfig\nname: a\n',
  ];

  it('are refused or taken, and nothing else', () => {
    const mutation = fc.record({
      seed: fc.constantFrom(...seeds),
      cuts: fc.array(fc.tuple(fc.nat(400), fc.nat(12), fc.string({ maxLength: 6, unit: 'binary' })), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(mutation, ({ seed, cuts }) => {
        const text = cuts.reduce((all, [at, length, put]) => all.slice(0, at) + put + all.slice(at + length), seed);
        try {
          loadNodeConfig(text);
        } catch (error) {
          assert.ok(isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID'), String(error));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('say at most twenty problems', () => {
    const interfaces = Array.from({ length: 100 }, () => '{interface: a, addresses: [x]}').join(', ');
    const listed = problems(`machine: {type: worker, network: {interfaces: [${interfaces}]}}`);
    assert.equal(listed.length, 21);
    assert.equal(listed.at(-1), '80 more');
  });
});
