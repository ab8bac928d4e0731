import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { linkDocuments } from '../addresses/link-document.ts';
import { loadNodeConfig } from '../config/load-node-config.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import { configuredRoutes } from './configured-routes.ts';
import { routeId } from './route-id.ts';
import { configuredRules, kernelRule, routingRuleId } from './routing-rules.ts';

const HEAD = 'version: v1alpha1\nmachine:\n  type: worker\n';

function routesOf(config: NodeConfig) {
  return configuredRoutes({
    devices: config.machine?.network.interfaces ?? [],
    linkDocuments: linkDocuments(config),
    documents: config.documents,
    vlanName: vlanLinkName,
  });
}

describe('routes of the configuration', () => {
  it('are those of interfaces and their VLANs, but of ignored ones', () => {
    const config = loadNodeConfig(`${HEAD}  network:
    interfaces:
      - interface: eth0
        addresses: [10.0.0.5/24]
        routes:
          - network: 0.0.0.0/0
            gateway: 10.0.0.1
          - network: 192.168.0.0/16
            source: 10.0.0.5
            metric: 10
            mtu: 1400
        vlans:
          - vlanId: 7
            addresses: [10.7.0.5/24]
            routes:
              - gateway: 10.7.0.1
                metric: 4096
      - interface: eth1
        ignore: true
        routes:
          - gateway: 10.9.0.1
`);
    const { specs, unreadable } = routesOf(config);
    assert.deepEqual(
      specs.map((spec) => `${routeId(spec)} ${spec.outLinkName} ${spec.src} ${spec.mtu}`),
      ['inet4/10.0.0.1//1024 eth0  0', 'inet4//192.168.0.0/16/10 eth0 10.0.0.5 1400', 'inet4/10.7.0.1//4096 eth0.7  0'],
    );
    assert.deepEqual(unreadable, []);
  });

  it('also come from documents, with their table, and blackholes', () => {
    const config = loadNodeConfig(
      [
        HEAD,
        'apiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\nroutes:\n  - destination: 10.0.0.0/8\n    gateway: 10.0.0.1\n    metric: 7\n    table: "100"\n  - gateway: fe80::1\n',
        'apiVersion: v1alpha1\nkind: BlackholeRouteConfig\nname: 10.0.0.0/12\nmetric: 100\n',
        'apiVersion: v1alpha1\nkind: BlackholeRouteConfig\nname: fd00::/8\n',
      ].join('---\n'),
    );
    assert.deepEqual(routesOf(config).specs.map(routeId), [
      '100/inet4/10.0.0.1/10.0.0.0/8/7',
      'eth0/inet6/fe80::1//1024',
      'inet4//10.0.0.0/12/100',
      'lo/inet6//fd00::/8/1024',
    ]);
  });

  it('that cannot be read are named and stop no other', () => {
    const value = { routes: [{ gateway: 'router' }, { gateway: '10.0.0.1' }] };
    const documents = [
      { kind: 'LinkConfig', name: 'eth0', line: 1, value },
      { kind: 'BlackholeRouteConfig', name: 'home', line: 9, value: {} },
    ];
    const { specs, unreadable } = routesOf({ text: '', documents });
    assert.deepEqual(specs.map(routeId), ['inet4/10.0.0.1//1024']);
    assert.deepEqual(unreadable, [
      'gateway "router" of the route of link eth0 to everything via router cannot be read',
      'blackhole route "home" is no network',
    ]);
  });
});

describe('routing rules of the configuration', () => {
  const rulesOf = (name: string, value: Readonly<Record<string, unknown>>) =>
    configuredRules([{ kind: 'RoutingRuleConfig', name, line: 1, value }]);

  it('look up a table for the family of their addresses', () => {
    const config = loadNodeConfig(
      `${HEAD}---\napiVersion: v1alpha1\nkind: RoutingRuleConfig\nname: "1000"\nsrc: 10.0.0.0/8\ntable: "100"\nfwMark: 256\nfwMask: 65280\niifName: eth0\n`,
    );
    const { specs } = configuredRules(config.documents);
    assert.deepEqual(specs.map(routingRuleId), ['inet4/01000']);
    assert.deepEqual(specs.map(kernelRule), [
      {
        family: 2,
        priority: 1000,
        source: '10.0.0.0/8',
        destination: '',
        table: 100,
        action: 1,
        iifName: 'eth0',
        oifName: '',
        fwMark: 256,
        fwMask: 65_280,
      },
    ]);
  });

  it('without addresses are for both families', () => {
    const { specs } = rulesOf('77', { action: 'blackhole', fwMark: 1 });
    assert.deepEqual(specs.map(routingRuleId), ['inet6/00077', 'inet4/00077']);
    assert.deepEqual(
      specs.map(kernelRule).map(({ action, table, fwMask }) => [action, table, fwMask]),
      [
        [6, 0, 0xffff_ffff],
        [6, 0, 0xffff_ffff],
      ],
    );
  });

  it('take everything for no condition', () => {
    const { specs } = rulesOf('77', { src: '::/0', table: 'main' });
    assert.deepEqual(
      specs.map(kernelRule).map(({ family, source }) => [family, source]),
      [[10, '']],
    );
  });

  const refused: [name: string, value: Readonly<Record<string, unknown>>, want: RegExp][] = [
    ['0', { table: 5 }, /reserved/],
    ['32500', { table: 5 }, /reserved/],
    ['32766', { table: 5 }, /reserved/],
    ['40000', { table: 5 }, /not of 1 to 32765/],
    ['first', { table: 5 }, /reserved, or not/],
    ['5', { src: '10.0.0.1', table: 5 }, /is no network/],
    ['5', { src: '10.0.0.0/8', dst: 'fd00::/8', table: 5 }, /different families/],
    ['5', { table: 'mine' }, /neither a name nor a number/],
    ['5', { action: 'explode' }, /action "explode" is not known/],
  ];
  for (const [name, value, want] of refused) {
    it(`${name} ${JSON.stringify(value)} is refused`, () => {
      const { specs, unreadable } = rulesOf(name, value);
      assert.equal(specs.length, 0);
      assert.match(unreadable[0] ?? '', want);
    });
  }
});
