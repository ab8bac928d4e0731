import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  askWorkload,
  expectedAddress,
  followCluster,
  followMachines,
  isTrue,
  type Lab,
  linkMode,
  type MachineSpec,
  powerOnMachines,
  REPORTED_CONDITIONS,
  rackMachine,
  type Sight,
  type Stage,
  saveClusterFiles,
} from '../packages/lab/src/index.ts';
import { ANNOTATIONS } from '../packages/model/src/index.ts';
import { say, startTestLab, whyNoLab } from './testing.ts';

const TIMEOUT_MS = 15 * 60_000;
const RECOVERY_MS = 60_000;
/** Once all machines have joined, everything else is a matter of seconds. */
const CLUSTER_MS = 3 * 60_000;

const CLUSTER = 'forge';

describe('two bare machines', { skip: whyNoLab(), timeout: TIMEOUT_MS }, () => {
  const machines = [rackMachine(1, 'bios', 'udp'), rackMachine(2, 'uefi', 'tunnel')];
  let lab: Lab;
  before(async () => {
    lab = await startTestLab('jny', 1, machines, ['--require-join-token']);
  });
  after(() => lab?.stop());
  const follow = (until: readonly Stage[], meanwhile: () => Promise<void> = async () => {}) =>
    followMachines({ ...lab, machines, until, timeoutMs: TIMEOUT_MS, say, meanwhile });

  /** One test for each machine: its firmware and its way to the plane are in the name. */
  const each = (what: string, check: (machine: MachineSpec, sight: Sight) => void | Promise<void>): void => {
    for (const machine of machines) {
      it(`(${machine.firmware}, ${machine.link}) ${what}`, () => check(machine, lab.watch.sight(machine)));
    }
  };
  const nodeOf = ({ binding }: Sight): string => binding?.spec?.metalMachineRef?.name ?? '';

  it('are inventoried, accepted, wiped, given a BMC user and switched off', async () => {
    for (const machine of machines) assert.deepEqual(lab.rack.markers(machine), ['begin', 'middle', 'end']);
    await powerOnMachines({ ...lab, machines, say });
    await follow(['SwitchedOff']);
  });
  each('is known as it is, and clean', (machine, { server }) => {
    assert.deepEqual(lab.rack.markers(machine), []);
    assert.equal(server?.spec?.hardware?.system?.serialNumber, machine.serialNumber);
    assert.equal(server?.spec?.bmc?.endpoint, machine.bmcAddress);
    assert.equal(server?.status?.isClean, true);
  });

  it('are allocated, boot their system over the network, are configured, installed, boot from disk and become a cluster', async () => {
    await lab.askForTunnels();
    await lab.applyExample('cluster.yaml');
    const cluster = followCluster({ name: CLUSTER, sight: () => lab.watch.cluster(CLUSTER), say });
    // The cluster may be ready before a busy machine has told over its link that it runs from disk.
    await follow(['Observed', 'Joined'], async () => cluster.note());
    await cluster.complete(CLUSTER_MS);
    const nodes = machines.map((machine) => nodeOf(lab.watch.sight(machine))).sort();
    assert.match(nodes.join(' '), /^forge-cp-\S+ forge-workers-\S+$/);
  });
  it('are a cluster that its users reach with the kubeconfig and the talosconfig that were made for them', async () => {
    const files = await saveClusterFiles(lab, CLUSTER, lab.rack.dir);
    const { nodes, services } = await askWorkload(lab, files, join(import.meta.dirname, '..'));
    for (const machine of machines) {
      assert.match(nodes, new RegExp(`^${nodeOf(lab.watch.sight(machine))} +Ready `, 'm'));
    }
    assert.match(services, /etcd members: forge-cp-\S+$/m);
    assert.match(services, /^ +etcd +Running +healthy /m);
    assert.match(await lab.bloomery('tree', CLUSTER), /Cluster\/forge +True/);
  });
  it('were bootstrapped once, with members of etcd that outlive the plane', async () => {
    const { controlPlane } = lab.watch.cluster(CLUSTER);
    assert.equal(controlPlane?.status?.bootstrapped, true);
    const bootstraps = machines.map((machine) => lab.rack.consoleText(machine).split('etcd.bootstrapped').length - 1);
    assert.equal(
      bootstraps.reduce((sum, count) => sum + count, 0),
      1,
    );
  });
  each('runs with its configuration', (machine, sight) => {
    const node = nodeOf(sight);
    assert.equal(sight.binding?.spec?.hostname, node);
    const expected = sight.metalMachine === undefined ? undefined : expectedAddress(sight.metalMachine);
    if (expected !== undefined) assert.ok(sight.binding?.spec?.addresses?.includes(expected));
    assert.equal(sight.metalMachine?.spec?.providerID, `sidero://${machine.uuid}`);
    assert.match(lab.rack.consoleText(machine), new RegExp(`standin\\.ready .*boot=disk .*hostname=${node}`));
  });

  each('is linked in the way that its network allows', (machine, sight) => {
    assert.equal(linkMode(sight), machine.link);
    assert.equal(isTrue(sight.binding?.status?.conditions, 'SideroLinkConnected'), true);
    // Its installed disk remembers a token, by which it owns its UUID.
    assert.match(sight.binding?.metadata.annotations?.[ANNOTATIONS.siderolinkUniqueToken] ?? '', /^sha256:/);
  });
  each('has told that it is configured and installed', ({ uuid }, { binding, metalMachine }) => {
    for (const type of REPORTED_CONDITIONS) assert.equal(isTrue(metalMachine?.status?.conditions, type), true, type);
    const reported = metalMachine?.status?.addresses?.map(({ address }) => address) ?? [];
    assert.ok(reported.includes(binding?.spec?.addresses?.[0] ?? '-'), `addresses of ${uuid}: ${reported.join(' ')}`);
    assert.ok(!reported.some((address) => /^fd/.test(address)), 'the address on the link is no address of the node');
  });
  each('has its kernel log collected as its own, of both boots', ({ uuid }, sight) => {
    const node = nodeOf(sight);
    const whose = sight.kernelLog.map(({ msg: _, server_uuid, namespace, metal_machine, cluster, machine }) =>
      JSON.stringify({ server_uuid, namespace, metal_machine, cluster, machine }),
    );
    const own = { server_uuid: uuid, namespace: 'default', metal_machine: node, cluster: 'forge', machine: node };
    assert.deepEqual([...new Set(whose)], [JSON.stringify(own)]);
    const messages = sight.kernelLog.map(({ msg }) => msg);
    for (const boot of ['network', 'disk']) {
      assert.ok(
        messages.some((msg) => msg.includes('standin.started') && msg.includes(`boot=${boot}`)),
        boot,
      );
    }
    assert.ok(messages.some((msg) => /^Linux version/.test(msg)));
  });
  each('shows its kernel log by its name', async (_, sight) => {
    const printed = await lab.bloomery('logs', `metalmachine/${nodeOf(sight)}`, '--grep', 'standin.ready');
    assert.match(printed, new RegExp(`hostname=${nodeOf(sight)}`));
  });
  each('has nothing to explain', async (_, sight) => {
    assert.match(await lab.bloomery('explain', `metalmachine/${nodeOf(sight)}`), /nothing to explain/);
  });

  it('go on telling after the plane was killed, without asking for the link again', async () => {
    // The stand-in says so on its console each time that it asked.
    const joins = (): number[] =>
      machines.map((machine) => lab.rack.consoleText(machine).split('link.joined').length - 1);
    const before = joins();
    // Once over the network, once from disk; again where a busy host kept it from being heard for a while.
    assert.ok(
      before.every((count) => count >= 2),
      `joined ${before.join(' and ')} times`,
    );
    await lab.plane.kill();
    const lines = machines.map((machine) => lab.watch.sight(machine).kernelLog.length);
    say(`plane: killed, ready again in ${await lab.plane.start()} ms`);
    const startedAt = Date.now();
    for (const [index, machine] of machines.entries()) {
      while (lab.watch.sight(machine).kernelLog.length <= (lines[index] ?? 0)) {
        assert.ok(Date.now() - startedAt < RECOVERY_MS, `${machine.name}: no kernel log since the plane is back`);
        await sleep(100);
      }
      say(`${machine.name} (${machine.link})  its kernel log goes on ${Date.now() - startedAt} ms after that`);
    }
    assert.deepEqual(joins(), before);
  });
  each('keeps its link over all that', async ({ uuid, link }) => {
    const text = await lab.kubectl('get', 'serverbinding', uuid, '-o', 'json');
    const binding: unknown = JSON.parse(text);
    const mode = (binding as { metadata: { annotations?: Record<string, string> } }).metadata.annotations;
    assert.equal(mode?.[ANNOTATIONS.siderolinkMode], link === 'tunnel' ? 'tunnel' : undefined);
  });
});
