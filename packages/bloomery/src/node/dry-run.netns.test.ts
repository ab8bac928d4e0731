import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import {
  BLOOMERY,
  makeNodeNamespace,
  type NodeNamespace,
  startNode,
  whyNoNodeNamespace,
} from '../testing/node-process.ts';

const skip = whyNoNodeNamespace();

/** A bond of two cards, a VLAN on it, a bridge, a dummy and a WireGuard device: each is needed by what is said behind it. */
const CONFIG = `version: v1alpha1
machine:
  type: worker
  network:
    interfaces:
      - interface: bond0
        bond: {mode: active-backup, interfaces: [eth0, eth1]}
        vlans:
          - vlanId: 7
            addresses: [10.7.0.2/24]
            routes: [{network: 10.8.0.0/16, gateway: 10.7.0.1}]
      - interface: br0
        bridge: {interfaces: [eth2]}
        addresses: [10.6.0.2/24]
        routes: [{network: 0.0.0.0/0, gateway: 10.6.0.1}]
      - interface: wg0
        wireguard:
          privateKey: YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=
          listenPort: 51820
        addresses: [10.9.0.1/24]
---
apiVersion: v1alpha1
kind: RoutingRuleConfig
name: "500"
src: 10.0.0.0/8
table: "100"
`;

/** WireGuard may be the kernel's or wireguard-go's. */
const MADE = `version: v1alpha1
machine:
  type: worker
  network:
    interfaces:
      - interface: br0
        bridge: {interfaces: [eth2]}
        addresses: [10.6.0.2/24]
      - interface: wg0
        wireguard:
          privateKey: YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=
          listenPort: 51820
        addresses: [10.9.0.1/24]
`;

describe('bloomery node --dry-run', { skip }, () => {
  let namespace: NodeNamespace;
  let dir: string;
  beforeEach(() => {
    namespace = makeNodeNamespace(['eth0', 'eth1', 'eth2']);
    dir = mkdtempSync(join(tmpdir(), 'bloomery-dry-'));
  });
  afterEach(() => {
    namespace.end();
    rmSync(dir, { recursive: true, force: true });
  });

  const dryRun = (config: string, state = join(dir, 'state')): readonly string[] => {
    const file = join(dir, 'machine.yaml');
    writeFileSync(file, config);
    const flags = ['--config', file, '--state', state, '--cmdline', '', '--dry-run'];
    return namespace
      .run(BLOOMERY, 'node', ...flags)
      .trimEnd()
      .split('\n');
  };
  const seen = (): string => ['addr', 'route', 'rule'].map((what) => namespace.run('ip', '-o', what)).join('\n');

  it('says everything that would be done, also on links that are not there yet, and does nothing', () => {
    const before = seen();
    assert.deepEqual(
      [...dryRun(CONFIG)].sort(),
      [
        'would add 10.6.0.2/24 to br0',
        'would add 10.7.0.2/24 to bond0.7',
        'would add 10.9.0.1/24 to wg0',
        'would add route 10.8.0.0/16 via 10.7.0.1 dev bond0.7 metric 1024',
        'would add route default via 10.6.0.1 dev br0 metric 1024',
        'would add rule 500: from 10.0.0.0/8 lookup 100',
        'would change bond0.7: up true',
        'would change bond0: up true',
        'would change br0: up true',
        'would change eth0: master bond0',
        'would change eth1: master bond0',
        'would change eth2: master br0',
        'would change eth2: up true',
        'would create bond0 (bond)',
        'would create bond0.7 (vlan)',
        'would create br0 (bridge)',
        'would create wg0 (wireguard)',
        'would set up WireGuard of wg0 with changes of 0 peers',
        'would change wg0: up true',
      ].sort(),
    );
    assert.equal(seen(), before);
  });

  it('says that nothing would be changed where all is as the configuration says', () => {
    assert.deepEqual(dryRun('version: v1alpha1\nmachine:\n  type: worker\n'), ['nothing would be changed']);
  });

  it('says what would wait for links that are not there', () => {
    const config = `version: v1alpha1
machine:
  type: worker
  network:
    interfaces:
      - {interface: eth9, addresses: [10.7.0.2/24]}
      - {deviceSelector: {driver: nosuch}, addresses: [10.8.0.2/24]}
`;
    const notice =
      'machine.network.interfaces[1]: no link matches {driver: nosuch}; it is configured as soon as one does';
    assert.deepEqual(dryRun(config), [
      'nothing would be changed',
      'would wait: eth9/10.7.0.2/24 waits for link eth9: there is none of this name',
      'would wait: eth9 waits for link eth9: there is none of this name',
      `would wait: ${notice}`,
    ]);
  });

  it('says beside a daemon what another configuration would change of what that has made, and leaves it alone', async () => {
    const daemon = await startNode(namespace, { config: MADE, args: ['--cmdline', '', '--host-files', 'off'] });
    const addresses = (): string => namespace.run('ip', '-4', '-o', 'addr');
    const has = (...wanted: readonly string[]): boolean => wanted.every((one) => addresses().includes(one));
    try {
      await until('the daemon has made all', () => has('10.6.0.2/24', '10.9.0.1/24'), { explain: daemon.stderr });
      const before = addresses();
      const lines = dryRun(MADE.replace('10.9.0.1/24', '10.9.0.1/24, 10.9.0.7/24'), daemon.dir);
      assert.deepEqual(lines, ['would add 10.9.0.7/24 to wg0']);
      assert.deepEqual([addresses(), daemon.process.exitCode], [before, null]);
    } finally {
      await daemon.stop();
      daemon.clean();
    }
  });

  it('says what the kernel would refuse', () => {
    const document =
      'version: v1alpha1\nmachine:\n  type: worker\n---\napiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\nmtu: 70000\n';
    assert.deepEqual(dryRun(document), [
      'would change eth0: up true',
      'would be refused: setting the MTU of eth0 to 70000: EINVAL Invalid argument (kernel: mtu greater than device maximum)',
    ]);
  });
});
