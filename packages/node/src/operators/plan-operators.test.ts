import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resource } from '@bloomery/cosi';
import type { Device, NodeDocument } from '../config/node-config.ts';
import { LinkSpec, LinkStatus } from '../resources/index.ts';
import { operatorId } from './operator-id.ts';
import { type OperatorPlanInput, planOperators } from './plan-operators.ts';

const link = (id: string, spec: Partial<LinkStatus> = {}): Resource<LinkStatus> => ({
  metadata: {
    namespace: 'network',
    type: LinkStatus.type,
    id,
    version: 1,
    owner: '',
    phase: 'running',
    createdMs: 0,
    updatedMs: 0,
    labels: {},
    annotations: {},
    finalizers: [],
  },
  spec: LinkStatus.make({ type: 'ether', ...spec }),
});

const device = (name: string, values: Partial<Device> = {}): Device => ({
  interface: name,
  addresses: [],
  routes: [],
  vlans: [],
  mtu: 0,
  ...values,
});

const document = (kind: string, name: string, value: Readonly<Record<string, unknown>> = {}): NodeDocument => ({
  kind,
  name,
  line: 1,
  value,
});

const config = (...documents: readonly NodeDocument[]): OperatorPlanInput['config'] => ({ text: '', documents });

const plan = (input: Partial<OperatorPlanInput>) =>
  planOperators({ config: config(), devices: [], links: [], linkSpecs: [], ignored: [], manageAll: false, ...input });
const ids = (input: Partial<OperatorPlanInput>): readonly string[] => plan(input).map(operatorId);

describe('operators of the configuration', () => {
  it('DHCPv4 runs where an interface says so, with its metric', () => {
    const [spec] = plan({
      devices: [device('eth0', { dhcp: true, dhcpOptions: { routeMetric: 2_048 } }), device('eth1')],
    });
    assert.deepEqual(
      [spec?.operator, spec?.linkName, spec?.requireUp, spec?.layer, spec?.dhcp4],
      [
        'dhcp4',
        'eth0',
        true,
        'configuration',
        {
          routeMetric: 2_048,
          skipHostnameRequest: false,
          clientIdentifier: { clientIdentifier: 'none', duidRawHex: '' },
        },
      ],
    );
  });
  it('DHCPv6 runs beside it or alone, as the options say', () => {
    const options = { routeMetric: 0, ipv6: true, duidv6: '00:03:00:01:02:00' };
    const [, six] = plan({ devices: [device('eth0', { dhcp: true, dhcpOptions: options })] });
    assert.deepEqual(six?.dhcp6.clientIdentifier, { clientIdentifier: 'duid', duidRawHex: '00:03:00:01:02:00' });
    assert.equal(six?.dhcp6.routeMetric, 1_024);
    assert.deepEqual(ids({ devices: [device('eth0', { dhcp: true, dhcpOptions: { ...options, ipv4: false } })] }), [
      'dhcp6/eth0',
    ]);
  });
  it('VLANs have operators of their own', () => {
    const vlan = { vlanId: 5, addresses: [], routes: [], mtu: 0, dhcp: true };
    assert.deepEqual(ids({ devices: [device('eth0', { vlans: [vlan] })] }), ['dhcp4/eth0.5']);
  });
  it('names may be aliases or alternative names', () => {
    const links = [link('eth0', { alias: 'net0', altNames: ['enp3s0'] })];
    assert.deepEqual(ids({ links, devices: [device('net0', { dhcp: true })] }), ['dhcp4/eth0']);
    assert.deepEqual(ids({ links, config: config(document('DHCPv4Config', 'enp3s0')) }), ['dhcp4/eth0']);
  });
  it('ignored interfaces have none, whoever ignores them', () => {
    assert.deepEqual(ids({ devices: [device('eth0', { dhcp: true, ignore: true })] }), []);
    assert.deepEqual(ids({ devices: [device('eth0', { dhcp: true })], ignored: ['eth0'] }), []);
  });
  it('documents say metric, host name and identifier', () => {
    const value = { routeMetric: 0, ignoreHostname: true, clientIdentifier: 'duid', duidRaw: '00:01:AB' };
    const none = document('DHCPv4Config', 'eth1', { clientIdentifier: 'none' });
    const [four, six, nameless] = plan({
      config: config(document('DHCPv4Config', 'eth0', value), document('DHCPv6Config', 'eth0'), none),
    });
    assert.deepEqual(four?.dhcp4, {
      routeMetric: 0,
      skipHostnameRequest: true,
      clientIdentifier: { clientIdentifier: 'duid', duidRawHex: '0001ab' },
    });
    assert.deepEqual(six?.dhcp6, {
      routeMetric: 1_024,
      skipHostnameRequest: false,
      clientIdentifier: { clientIdentifier: 'mac', duidRawHex: '' },
    });
    assert.equal(nameless?.dhcp4.clientIdentifier.clientIdentifier, 'none');
  });
});

describe('DHCP by default', () => {
  const links = [link('eth0'), link('eth1'), link('bond0', { kind: 'bond' }), link('lo', { type: 'loopback' })];
  it('runs on hardware that nobody mentions', () => {
    assert.deepEqual(ids({ links, manageAll: true }), ['dhcp4/eth0', 'dhcp4/eth1']);
    assert.equal(plan({ links, manageAll: true })[0]?.dhcp4.clientIdentifier.clientIdentifier, 'mac');
    assert.deepEqual(ids({ links, manageAll: true, config: undefined }).length, 2);
  });
  it('runs nowhere where only what is configured is looked after', () => {
    assert.deepEqual(ids({ links, config: undefined }), []);
  });
  it('leaves alone what the configuration or kernel arguments configure or ignore', () => {
    const spec = (layer: LinkSpec['layer']) => [LinkSpec.make({ name: 'eth0', layer })];
    for (const layer of ['cmdline', 'platform', 'configuration'] as const) {
      assert.deepEqual(ids({ links, manageAll: true, linkSpecs: spec(layer) }), ['dhcp4/eth1']);
    }
    for (const layer of ['default', 'operator'] as const) {
      assert.equal(ids({ links, manageAll: true, linkSpecs: spec(layer) }).length, 2);
    }
    assert.deepEqual(ids({ links, manageAll: true, ignored: ['eth1'] }), ['dhcp4/eth0']);
  });
  it('ends with the first document about a link', () => {
    assert.deepEqual(ids({ links, manageAll: true, config: config(document('LinkConfig', 'eth5')) }), []);
    assert.deepEqual(ids({ links, manageAll: true, config: config(document('HostnameConfig', 'x')) }).length, 2);
  });
});
