import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ANNOTATIONS,
  cluster,
  type JsonObject,
  machine,
  metalMachine,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { type Simulation, type SimulationOptions, startSimulation } from './testing/simulated-control-plane.ts';

const at = (name: string) => ({ name, namespace: 'default' });

/** Everything as the spec says: so many machines, all of them healthy members, nothing left over. */
async function isSettled(s: Simulation, replicas: number): Promise<boolean> {
  const list = await s.list();
  const { status, metadata } = (await s.controlPlane()) ?? {};
  return (
    status?.observedGeneration === metadata?.generation &&
    list.length === replicas &&
    s.etcd.members.length === replicas &&
    s.etcd.runningVoters() === replicas &&
    status?.etcd === `${replicas}/${replicas}` &&
    status.waitingFor === undefined &&
    status.replicas === replicas &&
    status.readyReplicas === replicas &&
    status.updatedReplicas === replicas
  );
}

async function settled(options: SimulationOptions): Promise<Simulation> {
  const s = await startSimulation(options);
  await s.until(`${options.replicas} members`, () => isSettled(s, options.replicas));
  return s;
}

async function noneLeftOver(s: Simulation): Promise<void> {
  const names = (await s.list()).map((m) => m.metadata.name);
  for (const kind of [metalMachine, talosConfig]) {
    const { items } = await s.client.list(kind as typeof talosConfig);
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      names,
      kind.kind,
    );
  }
}

describe('a control plane', () => {
  it('of three comes up with one bootstrap, and says so', async () => {
    const s = await settled({ replicas: 3 });
    assert.deepEqual(s.violations, []);
    assert.equal(s.etcd.bootstraps, 1);
    const { status } = (await s.controlPlane()) ?? {};
    const { conditions, ...fields } = status ?? {};
    assert.deepEqual(fields, {
      selector: 'cluster.x-k8s.io/cluster-name=c,cluster.x-k8s.io/control-plane',
      replicas: 3,
      readyReplicas: 3,
      unavailableReplicas: 0,
      updatedReplicas: 3,
      initialized: true,
      ready: true,
      bootstrapped: true,
      version: 'v1.32.0',
      etcd: '3/3',
      observedGeneration: 1,
    });
    const False = (conditions ?? []).filter((c) => c.status !== 'True').map((c) => c.type);
    assert.deepEqual(False, ['KubeconfigAvailable', 'MachinesReady']);
    await noneLeftOver(s);
  });

  it('goes 5 to 3, 3 to 1 and back, and 2 to 1, and never without quorum', async () => {
    const s = await settled({ replicas: 5 });
    for (const replicas of [3, 1, 2, 1, 3]) {
      await s.spec({ replicas });
      await s.until(`${replicas} members`, () => isSettled(s, replicas));
    }
    assert.deepEqual(s.violations, []);
    await noneLeftOver(s);
    assert.ok(s.events.some((e) => e.endsWith('EtcdMemberLeft')));
  });

  it('that is paused is left alone, says so, and goes on afterwards', async () => {
    const s = await settled({ replicas: 1 });
    const pause = async (paused: boolean): Promise<void> => {
      await s.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused } } });
    };
    await pause(true);
    await s.spec({ replicas: 3 });
    for (let i = 0; i < 15; i++) await s.step();
    assert.equal((await s.list()).length, 1);
    assert.equal((await s.controlPlane())?.status?.waitingFor, 'cluster or object to be unpaused');
    await pause(false);
    await s.until('three members', () => isSettled(s, 3));
    const types = (await s.controlPlane())?.status?.conditions?.map((c) => c.type);
    assert.ok(!types?.includes('Paused'));
  });

  it('whose machine cannot be made says which part and why, and leaves nothing when it can', async () => {
    let isBroken = true;
    const s = await startSimulation({
      replicas: 1,
      effect: (what) => {
        if (!isBroken || !what.startsWith('create Machine ')) return;
        throw new BloomeryError('BLM_API_INVALID', 'Machine is invalid: spec.version');
      },
    });
    for (let i = 0; i < 5; i++) await s.step();
    const condition = (await s.controlPlane())?.status?.conditions?.find((c) => c.type === 'MachinesCreated');
    assert.equal(
      `${condition?.reason}: ${condition?.message}`,
      'MachineGenerationFailed: Machine is invalid: spec.version',
    );
    assert.equal(s.events.filter((e) => e.endsWith('MachineGenerationFailed')).length, 1);
    isBroken = false;
    await s.until('one member', () => isSettled(s, 1));
    await noneLeftOver(s);
  });

  it('says what the API refuses it, and goes on when it may', async () => {
    let refused = '';
    const s = await startSimulation({
      replicas: 3,
      effect: (what) => {
        if (refused === '' || !what.startsWith(refused)) return;
        throw new BloomeryError('BLM_API_FORBIDDEN', `a webhook refuses: ${refused}`);
      },
    });
    await s.until('three members', () => isSettled(s, 3));
    const message = async () => (await s.controlPlane())?.status?.conditions?.find((c) => c.type === 'Ready')?.message;
    refused = 'patch Machine default/cp-';
    await s.spec({ replicas: 1 });
    for (let i = 0; i < 3; i++) await s.step();
    assert.match((await message()) ?? '', /the last attempt failed: a webhook refuses: patch Machine/);
    refused = '';
    await s.until('one member', () => isSettled(s, 1));
    assert.deepEqual(s.violations, []);
  });

  it('that goes by force leaves no Machine that is held for ever', async () => {
    const s = await settled({ replicas: 1 });
    const [m] = await s.list();
    const name = m?.metadata.name ?? '';
    await s.client.patch(talosControlPlane, at('cp'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await s.client.delete(talosControlPlane, at('cp'));
    await s.client.delete(machine, at(name));
    await s.step();
    const hook = (await s.list())[0]?.metadata.annotations?.[ANNOTATIONS.preTerminateHook];
    assert.equal(hook, undefined);
    assert.ok(s.events.includes(`Machine ${name}: EtcdLeaveSkipped`));
  });

  it('whose spec changes while a machine is half made, makes it of the new spec and leaves nothing of the old', async () => {
    let isBroken = true;
    const s = await startSimulation({
      replicas: 1,
      effect: (what) => {
        if (isBroken && what.startsWith('create Machine ')) throw new Error('killed');
      },
    });
    for (let i = 0; i < 3; i++) await s.step();
    await s.spec({ controlPlaneConfig: { controlplane: { generateType: 'controlplane', talosVersion: 'v1.11' } } });
    isBroken = false;
    s.restart();
    await s.until('one member', () => isSettled(s, 1));
    await noneLeftOver(s);
    const [config] = (await s.client.list(talosConfig)).items;
    assert.equal(config?.spec?.talosVersion, 'v1.11');
  });

  it('keeps its last machine when replicas is 0', async () => {
    const s = await settled({ replicas: 1 });
    await s.spec({ replicas: 0 });
    for (let i = 0; i < 5; i++) await s.step();
    assert.equal((await s.list()).length, 1);
    const { status } = (await s.controlPlane()) ?? {};
    assert.equal(status?.waitingFor, 'spec.replicas above 0');
    const resized = status?.conditions?.find((c) => c.type === 'Resized');
    assert.equal(resized?.message, 'Cannot scale down control plane nodes to 0');
  });

  for (const [replicas, maxSurge, servers] of [
    [3, 1, 4],
    [3, 0, 3],
    [1, 1, 2],
    [5, 2, 9],
  ] as const) {
    it(`of ${replicas} is replaced with a surge of ${maxSurge}`, async () => {
      const s = await settled({ replicas, maxSurge, servers });
      const before = (await s.list()).map((m) => m.metadata.name);
      await s.spec({ version: 'v1.33.0' });
      await s.until('the rollout', () => isSettled(s, replicas));
      const after = await s.list();
      assert.ok(after.every((m) => m.spec?.version === 'v1.33.0' && !before.includes(m.metadata.name)));
      assert.equal((await s.controlPlane())?.status?.version, 'v1.33.0');
      assert.deepEqual(s.violations, []);
      await noneLeftOver(s);
    });
  }

  it('whose rollout finds no free server says so and touches no machine', async () => {
    const s = await settled({ replicas: 3, maxSurge: 1, servers: 3 });
    await s.spec({ version: 'v1.33.0' });
    for (let i = 0; i < 20; i++) await s.step();
    assert.equal(s.etcd.runningVoters(), 3);
    const { status } = (await s.controlPlane()) ?? {};
    assert.equal(status?.waitingFor, 'infrastructure');
    const ready = status?.conditions?.find((c) => c.type === 'Ready');
    assert.match(
      ready?.message ?? '',
      /^3 machines are to be replaced; the new Machine cp-\w{5} has to be a healthy member of etcd first: MetalMachine default\/cp-\w{5}: 0 of the servers are free; with maxSurge 0/,
    );
    await s.spec({ rolloutStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0 } } });
    await s.until('the rollout without surge', () => isSettled(s, 3));
    assert.deepEqual(s.violations, []);
  });

  it('with OnDelete replaces what somebody deletes, and only that', async () => {
    const s = await settled({ replicas: 3 });
    await s.spec({ version: 'v1.33.0', rolloutStrategy: { type: 'OnDelete' } });
    for (let i = 0; i < 10; i++) await s.step();
    assert.ok((await s.list()).every((m) => m.spec?.version === 'v1.32.0'));
    for (const { metadata } of await s.list()) {
      await s.client.delete(machine, at(metadata.name));
      await s.until('its replacement', async () => {
        const list = await s.list();
        return (
          list.length === 3 && s.etcd.runningVoters() === 3 && !list.some((m) => m.metadata.name === metadata.name)
        );
      });
    }
    await s.until('the end', () => isSettled(s, 3));
    assert.deepEqual(s.violations, []);
  });

  it('whose machines are all deleted by hand at once is replaced without losing etcd', async () => {
    const s = await settled({ replicas: 3 });
    const before = (await s.list()).map((m) => m.metadata.name);
    for (const name of before) await s.client.delete(machine, at(name));
    await s.until(
      'three others',
      async () => (await isSettled(s, 3)) && !(await s.list()).some((m) => before.includes(m.metadata.name)),
    );
    assert.deepEqual(s.violations, []);
    assert.equal(s.etcd.bootstraps, 1);
  });

  it('removes a member that no machine is, and a machine that left by itself is the first to go', async () => {
    const s = await settled({ replicas: 3 });
    s.etcd.members.push({
      id: 77n,
      hostname: 'ghost',
      peerUrls: ['https://10.9.9.9:2380'],
      clientUrls: [],
      isLearner: false,
    });
    await s.until('three members', () => isSettled(s, 3));
    assert.ok(s.events.some((e) => e.endsWith('EtcdMemberRemoved')));
    const [, , youngest] = (await s.list()).map((m) => m.metadata.name);
    const left = s.machines.get(youngest ?? '');
    assert.ok(left);
    s.etcd.remove(left.memberId ?? 0n);
    Object.assign(left, { hasLeft: true, hasData: false, memberId: undefined });
    await s.spec({ replicas: 2 });
    await s.until('two members', () => isSettled(s, 2));
    assert.ok(!(await s.list()).some((m) => m.metadata.name === youngest));
    assert.deepEqual(s.violations, []);
  });
});

describe('a change in place', () => {
  const spec = {
    version: 'v1.33.0',
    rolloutStrategy: { type: 'InPlace' },
    controlPlaneConfig: {
      controlplane: {
        generateType: 'controlplane',
        talosVersion: 'v1.11.2',
        strategicPatches: ['machine:\n  certSANs: [new.example]\n'],
      },
    },
  };
  for (const replicas of [1, 3]) {
    it(`gives ${replicas} machines configuration, Kubernetes and Talos, one after the other`, async () => {
      const s = await settled({ replicas });
      const before = (await s.list()).map((m) => m.metadata.name);
      await s.spec(spec);
      await s.until('the change', () => isSettled(s, replicas));
      assert.deepEqual(
        (await s.list()).map((m) => m.metadata.name),
        before,
      );
      assert.ok((await s.list()).every((m) => m.spec?.version === 'v1.33.0'));
      for (const { version, configs } of s.machines.values()) {
        assert.equal(version, 'v1.11.2');
        assert.match(configs[0] ?? '', /new\.example/);
        assert.match(configs[0] ?? '', /kubelet:v1\.33\.0/);
      }
      // A single machine has nobody to keep quorum for it.
      assert.deepEqual(replicas === 1 ? [] : s.violations, []);
      assert.equal(s.events.filter((e) => e.startsWith('Machine') && e.endsWith('ChangedInPlace')).length, replicas);
    });
  }

  it('of another template is not done, and said', async () => {
    const s = await settled({ replicas: 1 });
    const infrastructureTemplate = {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'MetalMachineTemplate',
      name: 'other',
      namespace: 'default',
    };
    await s.spec({ rolloutStrategy: { type: 'InPlace' }, infrastructureTemplate });
    for (let i = 0; i < 5; i++) await s.step();
    const { status } = (await s.controlPlane()) ?? {};
    assert.equal(status?.waitingFor, 'rollout of machines');
    assert.equal(status?.conditions?.find((c) => c.type === 'MachinesSpecUpToDate')?.reason, 'CannotChangeInPlace');
  });

  it('with a patch that cannot be used touches no machine', async () => {
    const s = await settled({ replicas: 1 });
    const controlplane = { generateType: 'controlplane', strategicPatches: ['machine:\n  certSAN: [x]\n'] };
    await s.spec({ rolloutStrategy: { type: 'InPlace' }, controlPlaneConfig: { controlplane } });
    for (let i = 0; i < 5; i++) await s.step();
    assert.ok([...s.machines.values()].every(({ configs }) => configs.length === 0));
    const ready = (await s.controlPlane())?.status?.conditions?.find((c) => c.type === 'Ready');
    assert.match(ready?.message ?? '', /is being changed in place; the last attempt failed: .*certSAN/);
    assert.equal(s.events.filter((e) => e.endsWith('ChangeRefused')).length, 1);
  });
});

describe('an unhealthy control plane machine', () => {
  for (const servers of [3, 4]) {
    it(`that its health check gave up is replaced with ${servers} servers`, async () => {
      const s = await settled({ replicas: 3, servers });
      const [victim] = [...s.machines.values()];
      assert.ok(victim);
      victim.isOn = false;
      await s.giveUp(victim.name);
      await s.until('its replacement', () => isSettled(s, 3));
      assert.ok(!s.machines.has(victim.name));
      assert.deepEqual(s.violations, []);
    });
  }

  it('is not taken away while etcd would lose its quorum, and says so', async () => {
    const s = await settled({ replicas: 3, servers: 3 });
    const [one, two] = [...s.machines.values()];
    assert.ok(one && two);
    one.isOn = false;
    await s.giveUp(two.name);
    for (let i = 0; i < 20; i++) await s.step();
    assert.ok(s.machines.has(two.name));
    const message = (await s.controlPlane())?.status?.conditions?.find((c) => c.type === 'Ready')?.message ?? '';
    assert.match(message, /no majority|has to be a healthy member|unhealthy/);
    one.isOn = true;
    await s.until('its replacement', () => isSettled(s, 3));
    assert.deepEqual(s.violations, []);
  });

  it('does not hold up scaling and rollouts: quorum decides', async () => {
    const s = await settled({ replicas: 5 });
    const [sick] = [...s.machines.values()];
    assert.ok(sick);
    sick.isOn = false;
    await s.spec({ replicas: 3, version: 'v1.33.0' });
    await s.until('the rollout', () => isSettled(s, 3));
    assert.deepEqual(s.violations, []);
  });
});

describe('the deletion', () => {
  it('of a machine in a dead cluster is held for two minutes and then said to have skipped etcd', async () => {
    const s = await settled({ replicas: 3 });
    for (const m of s.machines.values()) m.isOn = false;
    const [victim] = await s.list();
    assert.ok(victim);
    await s.client.delete(machine, at(victim.metadata.name));
    for (let i = 0; i < 60; i++) await s.step();
    assert.ok(s.machines.has(victim.metadata.name));
    assert.equal((await s.controlPlane())?.status?.waitingFor, 'etcd quorum to come back');
    await s.until('its end', async () => !s.machines.has(victim.metadata.name));
    assert.ok(s.events.includes(`Machine ${victim.metadata.name}: EtcdLeaveSkipped`));
  });

  it('of the control plane alone is held until somebody confirms', async () => {
    const s = await settled({ replicas: 3 });
    await s.client.delete(talosControlPlane, at('cp'));
    for (let i = 0; i < 10; i++) await s.step();
    assert.equal((await s.list()).length, 3);
    assert.equal((await s.controlPlane())?.status?.waitingFor, 'Cluster to be deleted');
    const annotations = { [ANNOTATIONS.deleteControlPlane]: 'true' };
    await s.client.patch(talosControlPlane, at('cp'), { type: 'merge', body: { metadata: { annotations } } });
    await s.until('its end', async () => (await s.controlPlane()) === undefined);
    assert.equal((await s.list()).length, 0);
  });

  it('of the whole cluster takes all machines at once and asks etcd nothing', async () => {
    const s = await settled({ replicas: 3 });
    await s.client.patch(cluster, at('c'), { type: 'merge', body: { metadata: { finalizers: ['test/held'] } } });
    await s.client.delete(cluster, at('c'));
    await s.client.delete(talosControlPlane, at('cp'));
    await s.step();
    await s.until('its end', async () => (await s.controlPlane()) === undefined);
    assert.ok(!s.events.some((e) => /Etcd(Member(Left|Removed)|LeaveSkipped)/.test(e)));
  });
});

describe('bootstrapping', () => {
  for (const applied of [false, true]) {
    const what = applied ? 'agreed' : 'was asked';
    it(`is never given to a second machine when the first died as it ${what}, until that one is deleted`, async () => {
      let victim = '';
      const s = await startSimulation({
        replicas: 3,
        effect: (effect, isApplied) => {
          if (!effect.startsWith('bootstrap ') || isApplied !== applied || victim !== '') return;
          victim = effect.slice('bootstrap '.length);
          const machine = s.machines.get(victim);
          if (machine !== undefined) machine.isOn = false;
          throw new BloomeryError('BLM_TALOS_API_UNREACHABLE', 'the answer is lost', { retryable: true });
        },
      });
      await s.until('the loss', async () => victim !== '');
      for (let i = 0; i < 50; i++) await s.step();
      assert.equal(s.etcd.bootstraps, applied ? 1 : 0);
      const { status } = (await s.controlPlane()) ?? {};
      assert.equal(status?.waitingFor, 'outcome of the bootstrap');
      assert.match(status?.conditions?.[0]?.message ?? '', /delete this Machine to have another chosen$/);
      // What its disk held goes with the machine: etcd of this cluster begins anew on another.
      if (applied) Object.assign(s.etcd, { members: [], bootstraps: 0 });
      await s.client.delete(machine, at(victim));
      await s.until('three members', () => isSettled(s, 3));
      assert.ok(!s.machines.has(victim));
      assert.equal(s.etcd.bootstraps, 1);
      assert.deepEqual(s.violations, []);
    });
  }

  it('waits for every machine of a cluster that was moved here, and finds that it was done', async () => {
    const s = await settled({ replicas: 3 });
    const status: JsonObject = { bootstrapped: null, initialized: null };
    await s.client.patch(talosControlPlane, at('cp'), { type: 'merge', body: { status } }, { subresource: 'status' });
    const body = { metadata: { annotations: { [ANNOTATIONS.bootstrapChoice]: null } } };
    await s.client.patch(talosControlPlane, at('cp'), { type: 'merge', body });
    s.restart();
    await s.until('it is found bootstrapped', async () => (await s.controlPlane())?.status?.bootstrapped === true);
    assert.equal(s.etcd.bootstraps, 1);
  });
});
