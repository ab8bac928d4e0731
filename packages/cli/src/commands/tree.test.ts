import assert from 'node:assert/strict';
import { it, describe as suite } from 'node:test';
import type { ApiCall, ListOptions } from '@bloomery/kube';
import { cluster, type KindRef, type KubeObject, machine, metalMachine, talosConfig } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { clusterOfTest, DISCOVERY, item, otherMachine, ready, SERVER } from '../testing/cluster-of-test.ts';
import { createFakeSession, type FakeSession } from '../testing/fake-session.ts';
import { describe } from './describe.ts';
import { tree } from './tree.ts';

const answer = ({ path }: ApiCall): unknown => (path === '/apis/infrastructure.example.org/v1' ? DISCOVERY : {});
const session = (): FakeSession => createFakeSession(clusterOfTest(), answer);
const lines = (text: string): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/(?<=[^\s│]) {2,}/g, ' | '));

suite('bloomery tree', () => {
  it('goes from the cluster through any kind down to the servers, and marks the cause', async () => {
    const s = session();
    await tree(s, 'forge', { grouping: 'false' });
    assert.deepEqual(lines(s.out()), [
      'NAME | READY | SEVERITY | REASON | SINCE | MESSAGE',
      'Cluster/forge | False | Info | WaitingForControlPlane | 1h | it is not ready',
      '├─ ClusterInfrastructure - MetalCluster/forge | True | 1h',
      '├─ ControlPlane - TalosControlPlane/forge-cp | False | Info | ScalingUp | 1h | 0 of 1 machines',
      '│  └─ Machine/forge-cp-1 | False | Info | WaitingForInfrastructure | 1h | (Provisioning) MetalMachine default/forge-cp-1 is not ready',
      '│     ├─ BootstrapConfig - TalosConfig/forge-cp-1 | True',
      '│     └─ MachineInfrastructure - MetalMachine/forge-cp-1 | False | Info | WaitingForPowerOn | 1h | Server is off',
      '│        └─ ServerBinding/6b121f82-24a8-4611-9d23-fa1a5ba564f0 | True | (10.5.0.1)',
      `│           └─ Server/${SERVER} | False | Info | PowerUnknown | 1h | (Reserved, power unknown, rack1-u07) the BMC does not answer | <- cause`,
      '├─ Workers',
      '│  └─ MachineDeployment/forge-workers | False | Info | WaitingForControlPlane | 1h | the control plane is not initialised',
      '│     └─ MachineSet/forge-workers-a',
      '│        ├─ Machine/forge-w1 | False | Info | WaitingForControlPlane | 1h | (Provisioning) the control plane is not initialised',
      '│        │  ├─ BootstrapConfig - TalosConfig/forge-w1 | True',
      '│        │  └─ MachineInfrastructure - OtherMachine/forge-w1 | True',
      '│        └─ Machine/forge-w2 | False | Info | WaitingForControlPlane | 1h | (Provisioning) the control plane is not initialised',
      '│           ├─ BootstrapConfig - TalosConfig/forge-w2 | True',
      '│           └─ MachineInfrastructure - OtherMachine/forge-w2 | True',
      '└─ MachineHealthCheck/forge-workers',
    ]);
  });

  it('puts machines in the same state into one line', async () => {
    const s = session();
    await tree(s, 'forge');
    const grouped = lines(s.out()).filter((line) => line.includes('Machines...'));
    assert.deepEqual(grouped, [
      '│        └─ 2 Machines... | False | Info | WaitingForControlPlane | 1h | (see forge-w1, forge-w2) the control plane is not initialised',
    ]);
  });

  it('lists conditions of the kinds that were asked for', async () => {
    const s = session();
    await tree(s, 'forge', { showConditions: 'server' });
    assert.match(s.out(), /BMCReachable +False +Warning +PowerFailed +1h\n/);
    const none = session();
    await tree(none, 'forge');
    assert.doesNotMatch(none.out(), /BMCReachable/);
  });

  it('shows the part of a machine', async () => {
    for (const name of ['forge-cp-1', 'machine/forge-cp-1']) {
      const s = session();
      await tree(s, name);
      assert.match(lines(s.out())[1] ?? '', /^Machine\/forge-cp-1 \| False/);
      assert.match(s.out(), /<- cause/);
    }
  });

  it('is the same as JSON', async () => {
    const s = session();
    await tree(s, 'forge', { output: 'json' });
    const { kind, cluster: name, root } = JSON.parse(s.out());
    assert.deepEqual([kind, name, root.children.length], ['ClusterTree', 'forge', 4]);
    const found: string[] = [];
    const walk = (node: { name: string; isCause: boolean; children: (typeof node)[] }): void => {
      if (node.isCause) found.push(node.name);
      node.children.forEach(walk);
    };
    walk(root);
    assert.deepEqual(found, [SERVER]);
  });

  it('says what a reference leads to nowhere', async () => {
    const objects = clusterOfTest().filter(
      ({ kind, object }) => kind !== talosConfig || object.metadata.name !== 'forge-w1',
    );
    const s = createFakeSession(objects, answer);
    await tree(s, 'forge-w1');
    assert.match(
      s.out(),
      /BootstrapConfig - TalosConfig\/forge-w1 +False +Error +NotFound +it does not exist {2}<- cause/,
    );
  });

  it('names what may not be listed, and shows the rest', async () => {
    const s = session();
    const list = <T extends KubeObject>(kind: KindRef<T>, options?: ListOptions) => {
      if (kind.kind !== 'Server') return s.client.list(kind, options);
      throw new BloomeryError('BLM_API_FORBIDDEN', 'no');
    };
    await tree({ ...s, client: { ...s.client, list } }, 'forge');
    assert.match(s.err(), /Not shown, you may not list them: servers\./);
    assert.match(s.out(), /ServerBinding/);
  });

  it('lists each kind once, however many machines there are', async () => {
    const s = session();
    const asked: string[] = [];
    const list = <T extends KubeObject>(kind: KindRef<T>, options?: ListOptions) => {
      asked.push(kind.kind);
      return s.client.list(kind, options);
    };
    await tree({ ...s, client: { ...s.client, list } }, 'forge');
    assert.deepEqual(asked, [...new Set(asked)]);
  });

  it('suggests names for one that nobody has', async () => {
    await assert.rejects(tree(session(), 'forg'), { code: 'BLM_CLI_NAME_UNKNOWN', message: /did you mean forge\?/ });
    await assert.rejects(tree(session(), 'machine/forge'), { code: 'BLM_CLI_NAME_UNKNOWN' });
  });

  it('marks each wait when none explains the others', async () => {
    const spec = {
      clusterName: 'c',
      bootstrap: {},
      infrastructureRef: { kind: 'OtherMachine', name: 'm', apiVersion: 'x.example.org/v1' },
    };
    const s = createFakeSession([
      item(cluster, 'c', { spec: {} }),
      item(machine, 'm', { spec, status: { conditions: [ready('False', 'X', 'x')] } }),
      item(otherMachine, 'm', {}),
      item(metalMachine, 'm', {}),
    ]);
    await tree(s, 'c');
    assert.match(
      s.out(),
      /MachineInfrastructure - OtherMachine\/m +False +Error +NotFound +it does not exist {2}<- cause/,
    );
  });
});

suite('bloomery describe', () => {
  it('shows what belongs to a cluster between head and spec, and where to look further', async () => {
    const s = session();
    await describe(s, ['cluster', 'forge']);
    assert.match(s.out(), /^Name: {8}forge\n[\s\S]*\nTree:\n {2}NAME[\s\S]*<- cause[\s\S]*\nMore:\n[\s\S]*\nSpec:\n/);
    assert.match(s.out(), /\n {2}bloomery logs cluster\/forge -n default\n/);
  });

  it('shows what belongs to a machine', async () => {
    const s = session();
    await describe(s, ['machine', 'forge-cp-1']);
    assert.match(s.out(), new RegExp(`\\nTree:\\n[\\s\\S]*Server/${SERVER}[\\s\\S]*\\nMore:\\n`));
    assert.doesNotMatch(s.out(), /forge-w1/);
    assert.match(s.out(), /\n {2}bloomery config machine\/forge-cp-1 -n default\n/);
  });
});
