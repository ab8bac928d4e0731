import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeConfig, NodeDocument } from '../config/node-config.ts';
import { automaticName, configuredHostname } from '../hostname/hostname-config-controller.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import { configuredProbes } from '../network-status/probe-specs.ts';
import { configuredRoutes } from '../routes/configured-routes.ts';
import { routeId } from '../routes/route-id.ts';
import { configuredRules } from '../routes/routing-rules.ts';
import { configuredTimeServers } from '../time/index.ts';
import { configuredAddresses } from './configured-addresses.ts';
import { linkDocuments } from './link-document.ts';

const KINDS = [
  ...['LinkConfig', 'VethConfig', 'BlackholeRouteConfig', 'RoutingRuleConfig', 'TCPProbeConfig', 'HTTPProbeConfig'],
  ...['HostnameConfig', 'TimeSyncConfig', 'SomethingElse'],
];
const KEYS = [
  'addresses',
  'address',
  'routePriority',
  'routes',
  'destination',
  'gateway',
  'source',
  'metric',
  'table',
].concat([
  'src',
  'dst',
  'action',
  'fwMark',
  'peer',
  'name',
  'endpoint',
  'interval',
  'timeout',
  'auto',
  'hostname',
  'ntp',
  'servers',
]);
const leaf = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom('10.0.0.0/8', '::/0', 'main', '1e99', '0x10', '5s', '__proto__', 'constructor'),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 5 }),
  ),
}));
const document: fc.Arbitrary<NodeDocument> = fc.record({
  kind: fc.constantFrom(...KINDS),
  name: fc.oneof(fc.string({ maxLength: 15 }), fc.constantFrom('eth0', '1000', '10.0.0.0/8', 'fd00::/8')),
  line: fc.constant(1),
  value: fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 8 }),
});

describe('documents of any content', () => {
  it('become specs or are said to be unreadable, and never more', () => {
    fc.assert(
      fc.property(fc.array(document, { maxLength: 6 }), (documents) => {
        const config: NodeConfig = { text: '', documents };
        const links = linkDocuments(config);
        for (const { address } of configuredAddresses([], links, vlanLinkName).specs) assert.match(address, /\/\d+$/);
        const sources = { devices: [], linkDocuments: links, documents, vlanName: vlanLinkName };
        for (const spec of configuredRoutes(sources).specs) {
          assert.match(routeId(spec), /\/\d+$/);
          assert.ok(spec.priority > 0 && spec.priority <= 0xffff_ffff);
        }
        for (const { priority } of configuredRules(documents).specs) assert.ok(priority > 0 && priority < 32_766);
        for (const { interval } of configuredProbes(config)) assert.ok(interval !== 0 && !Number.isNaN(interval));
        assert.equal(typeof configuredHostname(config), 'string');
        assert.ok(['addr', 'stable', 'off', 'own'].includes(automaticName(config, true)));
        for (const server of configuredTimeServers(config)) assert.equal(typeof server, 'string');
      }),
      { numRuns: 2000 },
    );
  });
});
