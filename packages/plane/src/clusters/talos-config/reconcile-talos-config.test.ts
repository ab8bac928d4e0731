import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import {
  cluster,
  type Machine,
  machine,
  machinePool,
  type Secret,
  secret,
  type TalosConfig,
  talosConfig,
} from '@bloomery/model';
import { silentLog } from '@bloomery/ports';
import { readSecretsBundle, readYaml, talosJson } from '@bloomery/talos';
import { CONFIG_KEY, type TalosConfigWorld, talosConfigWorld } from '../testing/talos-config-world.ts';
import { createTalosConfigController } from './index.ts';

const GIVEN = 'version: v1alpha1\nmachine:\n  type: worker\n  token: a.b\n';
/** Before 1.7 the key of a new cluster is quick to make. */
const QUICK = { generateType: 'worker', talosVersion: 'v1.6' } as const;
const CONTROL = { generateType: 'controlplane', talosVersion: 'v1.6' } as const;

const kinds = (events: readonly string[]): string[] => events.map((event) => event.split(' ')[1]?.slice(0, -1) ?? '');
const has = async ({ client }: TalosConfigWorld, name: string): Promise<boolean> =>
  (await client.list(secret)).items.some(({ metadata }) => metadata.name === name);

function secretNamed(name: string, data: Readonly<Record<string, string>>, owner?: object): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default', ...(owner === undefined ? {} : { ownerReferences: [owner as never] }) },
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  };
}

describe('a TalosConfig with generateType none', () => {
  it('gives its data, patched and checked, as bootstrap data, and says what the machine will not take', async () => {
    const w = talosConfigWorld({
      generateType: 'none',
      data: GIVEN,
      configPatches: [{ op: 'add', path: '/machine/network', value: { hostname: 'json' } }],
      strategicPatches: ['machine:\n  network:\n    hostname: strategic\n'],
    });
    await w.reconcile();
    const [document] = readYaml((await w.text('cp-0-bootstrap-data', 'value')) ?? '').map(talosJson);
    assert.deepEqual(document, {
      version: 'v1alpha1',
      machine: { type: 'worker', token: 'a.b', certSANs: [], network: { hostname: 'strategic' } },
      cluster: null,
    });
    const { status } = await w.config();
    assert.equal(status?.initialization?.dataSecretCreated, true);
    assert.equal(status?.dataSecretName, 'cp-0-bootstrap-data');
    assert.deepEqual(
      status?.conditions?.map((c) => `${c.type} ${c.status} ${c.reason}`),
      ['Ready True Available', 'ConfigValid False ConfigInvalid', 'DataSecretAvailable True Available'],
    );
    assert.equal(
      await w.condition('ConfigValid'),
      'False ConfigInvalid: the machine will not take its config: cluster instructions are required; install instructions are required in "metal" mode; issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)',
    );
    assert.deepEqual(kinds(w.events), ['ConfigInvalid', 'DataSecretCreated']);
    assert.equal(await has(w, 'blue-ca'), false);
  });

  it('that Talos would refuse says why in its conditions and never quotes values', async () => {
    const w = talosConfigWorld({ generateType: 'none', data: `${GIVEN}  tokens: hunter2\n` });
    await w.reconcile();
    await w.reconcile();
    assert.equal(
      await w.condition('DataSecretAvailable'),
      'False InternalError: Data secret generation failed: TalosConfig default/cp-0: reading spec.data: document 1, /v1alpha1: machine.tokens (line 5): unknown key; unknown keys found during decoding:\nmachine:\n    tokens: "******"',
    );
    const { status } = await w.config();
    assert.equal(status?.deprecated?.v1beta?.conditions?.[0]?.reason, 'DataSecretGenerationFailed');
    assert.equal(status?.waitingFor, 'a TalosConfig that can be used');
    assert.equal(status?.observedGeneration, undefined, 'it was not dealt with');
    assert.deepEqual(kinds(w.events), ['DataSecretGenerationFailed'], 'said once');
  });

  it('without data says so before anything else is there', async () => {
    const w = talosConfigWorld({ generateType: 'none' }, { infrastructureReady: false });
    await w.reconcile();
    assert.match((await w.condition('Ready')) ?? '', /reading spec\.data: it is required with generateType none$/);
  });
});

describe('a TalosConfig that generates', () => {
  it('makes the secrets of the cluster once and the configuration for its machine', async () => {
    const w = talosConfigWorld({ ...CONTROL, talosVersion: 'v1.11', hostname: { source: 'MachineName' } });
    await w.reconcile();
    const bundle = (await w.text('blue-talos', 'bundle')) ?? '';
    assert.deepEqual(readSecretsBundle(bundle).problems, []);
    const value = (await w.text('cp-0-bootstrap-data', 'value')) ?? '';
    assert.match(value, /hostname: cp-0\n/);
    assert.match(value, /endpoint: https:\/\/10\.5\.0\.10:6443\n/);
    assert.match(value, /10\.1\.0\.0\/16/);
    assert.match((await w.text('blue-ca', 'tls.key')) ?? '', /BEGIN EC PRIVATE KEY/);
    assert.equal(await w.condition('ConfigValid'), undefined, 'the install disk comes later');
    await w.reconcile();
    assert.match((await w.text('blue-talosconfig', 'talosconfig')) ?? '', /"?10\.5\.0\.2"?/);
    const before = w.client.revision();
    await w.reconcile();
    assert.equal(w.client.revision(), before, 'a steady state writes nothing');
    assert.equal(await w.text('blue-talos', 'bundle'), bundle);
    assert.equal(await w.text('cp-0-bootstrap-data', 'value'), value);
    assert.equal((await w.config()).status?.waitingFor, undefined);
  });

  it('puts the host name of Talos 1.12 into a document of its own, after the patches of the user', async () => {
    const w = talosConfigWorld({
      generateType: 'worker',
      talosVersion: 'v1.12',
      hostname: { source: 'InfrastructureName' },
      configPatches: [{ op: 'add', path: '/machine/install/disk', value: '/dev/vda' }],
    });
    await w.reconcile();
    const documents = readYaml((await w.text('cp-0-bootstrap-data', 'value')) ?? '').map(talosJson);
    assert.deepEqual(documents[1], {
      apiVersion: 'v1alpha1',
      kind: 'HostnameConfig',
      auto: 'off',
      hostname: 'metal-0',
    });
    assert.deepEqual(kinds(w.events), ['SecretsCreated', 'ConfigNote', 'DataSecretCreated']);
    assert.equal(
      w.events[1],
      'Warning ConfigNote: spec.configPatches: a JSON patch was applied to the v1alpha1 document of a configuration of several documents; upstream refuses it.',
    );
  });

  it('names field, line and key of a patch that cannot be used, and writes nothing', async () => {
    const patch = 'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        mtu: high\n';
    const w = talosConfigWorld({ ...QUICK, strategicPatches: ['machine: {}', patch] });
    await w.reconcile();
    assert.equal(
      await w.condition('Ready'),
      'False BootstrapConfigRefused: Data secret generation failed: TalosConfig default/cp-0: reading spec.strategicPatches[1]: document 1, /v1alpha1: machine.network.interfaces.0.mtu (line 5): expected a whole number',
    );
    assert.deepEqual((await w.client.list(secret)).items, []);
  });

  const refusals: readonly [name: string, spec: object, why: RegExp][] = [
    [
      'an operation on what is not there',
      { configPatches: [{ op: 'remove', path: '/machine/foo' }] },
      /patching spec\.configPatches: applying JSON patch: operation 1 \(remove \/machine\/foo\): nothing to remove$/,
    ],
    [
      'an operation that adds an unknown key',
      { configPatches: [{ op: 'add', path: '/machine/foo', value: 1 }] },
      /reading the result of spec\.configPatches: document 1, \/v1alpha1: machine\.foo: unknown key/,
    ],
    ['a version that is none', { talosVersion: 'latest' }, /reading talosVersion "vlatest": not vMAJOR\.MINOR$/],
    [
      'deletion of what is not there',
      { strategicPatches: ['machine:\n  nodeLabels:\n    a:\n      $patch: delete\n'] },
      /patching spec\.strategicPatches\[0\]: reading \$patch: delete: nothing to delete at machine\.nodeLabels\.a/,
    ],
  ];
  for (const [name, spec, why] of refusals) {
    it(`refuses ${name}, and writes nothing`, async () => {
      const w = talosConfigWorld({ ...QUICK, ...spec });
      await w.reconcile();
      assert.match((await w.condition('Ready')) ?? '', why);
      assert.deepEqual((await w.client.list(secret)).items, []);
    });
  }

  it('marks user data of machines whose cloud needs it', async () => {
    const w = talosConfigWorld(QUICK, {
      machineSpec: { infrastructureRef: { kind: 'PacketMachine', name: 'p' } },
    });
    await w.reconcile();
    assert.match((await w.text('cp-0-bootstrap-data', 'value')) ?? '', /^#!talos\nversion: v1alpha1\n/);
  });

  it('says when its data is too large to be carried, and gives it all the same', async () => {
    const w = talosConfigWorld({
      ...QUICK,
      strategicPatches: [`machine:\n  files:\n    - path: /a\n      content: "${'x'.repeat(33_000)}"\n`],
    });
    await w.reconcile();
    assert.match(
      (await w.condition('ConfigValid')) ?? '',
      /has 3\d{4} bytes; infrastructure providers carry less than 32768$/,
    );
    assert.match((await w.condition('Ready')) ?? '', /^True/);
  });

  it('fails loudly for a Talos that the secrets of its cluster are too new for', async () => {
    const first = talosConfigWorld(QUICK);
    await first.reconcile();
    const bundle = (await first.text('blue-talos', 'bundle')) ?? '';
    const w = talosConfigWorld(
      { ...CONTROL, talosVersion: 'v1.2' },
      { objects: [{ kind: secret, object: secretNamed('blue-talos', { bundle }) }] },
    );
    const requeue = await w.reconcile();
    assert.match(
      (await w.condition('Ready')) ?? '',
      /Talos 1\.2: the secrets bundle has no encryption secret for this version$/,
    );
    assert.equal((await w.config()).status?.waitingFor, 'the secrets of the cluster');
    assert.equal(requeue.afterMs, 30_000);
  });

  it('shares the secrets of the cluster with a machine that another process makes at the same moment', async () => {
    const metadata = { name: 'cp-1', namespace: 'default', labels: { 'cluster.x-k8s.io/control-plane': '' } };
    const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'cp-1', uid: 'm-1' };
    const spec = {
      clusterName: 'blue',
      bootstrap: { configRef: { kind: 'TalosConfig', name: 'cp-1' } },
      infrastructureRef: { kind: 'MetalMachine', name: 'metal-1' },
    };
    const config = { metadata: { ...metadata, ownerReferences: [owner] }, spec: CONTROL };
    const w = talosConfigWorld(CONTROL, {
      objects: [
        {
          kind: machine,
          object: { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', metadata, spec } as Machine,
        },
        {
          kind: talosConfig,
          object: { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1', kind: 'TalosConfig', ...config } as TalosConfig,
        },
      ],
    });
    const made: string[] = [];
    const another = createTalosConfigController({ random: (n) => randomBytes(n) }).reconcile(
      { name: 'cp-1', namespace: 'default' },
      {
        client: w.client,
        cache: createObjectCache(),
        clock: w.clock,
        log: silentLog,
        signal: new AbortController().signal,
        events: { record: (_about, { reason }) => made.push(reason) },
      },
    );
    await Promise.all([w.reconcile(), another]);
    const { bundle } = readSecretsBundle((await w.text('blue-talos', 'bundle')) ?? '');
    for (const name of ['cp-0', 'cp-1']) {
      const value = (await w.text(`${name}-bootstrap-data`, 'value')) ?? '';
      assert.ok(value.includes(bundle.trustdToken) && value.includes(bundle.bootstrapToken), name);
      assert.ok(value.includes(Buffer.from(bundle.kubernetes.key).toString('base64')), name);
    }
    assert.equal(await w.text('blue-ca', 'tls.key'), bundle.kubernetes.key);
    const all = [...kinds(w.events), ...made];
    assert.equal(all.filter((reason) => reason === 'SecretsCreated').length, 1);
  });

  it('makes secrets for the oldest Talos of its cluster, whoever comes first', async () => {
    const template = {
      apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1',
      kind: 'TalosConfig',
      metadata: { name: 'old', namespace: 'default' },
      spec: { generateType: 'worker', talosVersion: 'v1.1' },
    };
    const other = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      metadata: { name: 'old', namespace: 'default' },
      spec: {
        clusterName: 'blue',
        bootstrap: { configRef: { kind: 'TalosConfig', name: 'old' } },
        infrastructureRef: { kind: 'MetalMachine', name: 'x' },
      },
    };
    const w = talosConfigWorld(QUICK, {
      objects: [
        { kind: talosConfig, object: template },
        { kind: machine, object: other },
      ],
    });
    await w.reconcile();
    const { bundle } = readSecretsBundle((await w.text('blue-talos', 'bundle')) ?? '');
    assert.deepEqual([bundle.aescbcEncryptionSecret === '', bundle.secretboxEncryptionSecret === ''], [false, true]);
  });
});

describe('a TalosConfig that waits', () => {
  const cases: readonly [name: string, options: Parameters<typeof talosConfigWorld>[1], reason: string, why: string][] =
    [
      [
        'for an owner',
        { config: { ownerReferences: [] } },
        'WaitingForMachine',
        'no Machine owns this TalosConfig yet',
      ],
      [
        'for an owner that is gone',
        { without: 'Machine' },
        'WaitingForMachine',
        'Machine cp-0, which owns this TalosConfig, does not exist; restore it, or delete the TalosConfig',
      ],
      [
        'for its cluster',
        { without: 'Cluster' },
        'WaitingForCluster',
        'Cluster blue of Machine cp-0 does not exist; create it, or delete the Machine',
      ],
      [
        'for the infrastructure of its cluster',
        { infrastructureReady: false },
        'WaitingForClusterInfrastructure',
        'the infrastructure of Cluster blue is not ready',
      ],
      [
        'for an endpoint',
        { clusterSpec: { controlPlaneEndpoint: { host: '', port: 0 } } },
        'WaitingForClusterInfrastructure',
        'Cluster blue has no control plane endpoint yet',
      ],
    ];
  for (const [name, options, reason, why] of cases) {
    it(`${name} says so in its condition, its column and one Event`, async () => {
      const w = talosConfigWorld(QUICK, options);
      await w.reconcile();
      await w.reconcile();
      assert.equal(await w.condition('Ready'), `False ${reason}: ${why}`);
      const { status } = await w.config();
      assert.equal(status?.deprecated?.v1beta?.conditions?.[0]?.reason, reason);
      assert.notEqual(status?.waitingFor, undefined);
      assert.deepEqual(w.events, [`Normal ${reason}: Waiting: ${why}.`]);
      assert.deepEqual((await w.client.list(secret)).items, []);
    });
  }

  it('for being unpaused is left alone, and goes on then', async () => {
    const w = talosConfigWorld(QUICK, { clusterSpec: { paused: true } });
    await w.reconcile();
    await w.reconcile();
    assert.equal((await w.config()).status?.waitingFor, 'cluster or object to be unpaused');
    assert.deepEqual(kinds(w.events), ['Paused']);
    assert.deepEqual((await w.client.list(secret)).items, []);
    await w.patch(cluster, 'blue', { spec: { paused: false } });
    await w.reconcile();
    assert.equal(await has(w, 'cp-0-bootstrap-data'), true);
    assert.equal((await w.config()).status?.waitingFor, undefined);
  });
});

describe('a machine config that was made', () => {
  it('is never made again for a machine that has its data already, after a move', async () => {
    const w = talosConfigWorld(QUICK, { machineSpec: { bootstrap: { dataSecretName: 'moved' } } });
    await w.reconcile();
    assert.equal((await w.config()).status?.dataSecretName, 'moved');
    assert.deepEqual(kinds(w.events), ['DataSecretAdopted']);
    assert.equal((await w.client.list(secret)).items.length, 0);
  });

  it('whose Secret is lost is made again as long as no machine may have read it', async () => {
    const w = talosConfigWorld(QUICK);
    await w.reconcile();
    await w.client.delete(secret, { name: 'cp-0-bootstrap-data', namespace: 'default' });
    await w.reconcile();
    assert.equal(await has(w, 'cp-0-bootstrap-data'), true);
    assert.match((await w.condition('Ready')) ?? '', /^True/);
  });

  it('whose Secret is lost under a machine is not made again, says so, and is when a user asks for it', async () => {
    const w = talosConfigWorld(QUICK);
    await w.reconcile();
    const bundle = await w.text('blue-talos', 'bundle');
    await w.patch(machine, 'cp-0', { spec: { bootstrap: { dataSecretName: 'cp-0-bootstrap-data' } } });
    await w.client.delete(secret, { name: 'cp-0-bootstrap-data', namespace: 'default' });
    const requeue = await w.reconcile();
    await w.reconcile();
    assert.equal(await has(w, 'cp-0-bootstrap-data'), false);
    assert.equal(
      await w.condition('Ready'),
      'False BootstrapDataLost: Secret cp-0-bootstrap-data with the machine config of Machine cp-0 is gone, and a machine may run with it: it is not made again by itself. Restore the Secret, or delete the Machine, or set annotation bloomery.dev/regenerate-bootstrap-data on this TalosConfig to have it made again',
    );
    const { status } = await w.config();
    assert.equal(status?.initialization?.dataSecretCreated, true, 'nobody makes it anew for a flag');
    assert.equal(status?.waitingFor, 'its data Secret to be restored');
    assert.ok(requeue.afterMs !== undefined);
    assert.deepEqual(kinds(w.events), ['SecretsCreated', 'DataSecretCreated', 'BootstrapDataLost']);
    await w.patch(talosConfig, 'cp-0', { metadata: { annotations: { 'bloomery.dev/regenerate-bootstrap-data': '' } } });
    await w.reconcile();
    assert.equal(await has(w, 'cp-0-bootstrap-data'), true);
    assert.match((await w.condition('Ready')) ?? '', /^True/);
    const { metadata } = await w.config();
    assert.equal(metadata.annotations?.['bloomery.dev/regenerate-bootstrap-data'], undefined, 'it asks for one time');
    assert.equal(await w.text('blue-talos', 'bundle'), bundle);
  });

  it('whose Secret is lost and restored goes on, and says so', async () => {
    const w = talosConfigWorld(QUICK);
    await w.reconcile();
    await w.patch(machine, 'cp-0', { spec: { bootstrap: { dataSecretName: 'cp-0-bootstrap-data' } } });
    const { apiVersion, kind, metadata, data } = await w.client.get(secret, {
      name: 'cp-0-bootstrap-data',
      namespace: 'default',
    });
    await w.client.delete(secret, { name: metadata.name, namespace: 'default' });
    await w.reconcile();
    await w.client.create(secret, {
      apiVersion,
      kind,
      metadata: { name: metadata.name, namespace: 'default' },
      data: data ?? {},
    });
    await w.reconcile();
    await w.reconcile();
    assert.match((await w.condition('Ready')) ?? '', /^True/);
    assert.equal((await w.config()).status?.waitingFor, undefined);
    assert.deepEqual(kinds(w.events).slice(2), ['BootstrapDataLost', 'DataSecretAdopted']);
  });

  it('of another object of its name is replaced: no machine of this one has read it', async () => {
    const gone = { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1', kind: 'TalosConfig', name: 'cp-0', uid: 'gone' };
    const left = secretNamed('cp-0-bootstrap-data', { value: 'left behind' }, gone);
    const w = talosConfigWorld(QUICK, { objects: [{ kind: secret, object: left }] });
    await w.reconcile();
    assert.match((await w.text('cp-0-bootstrap-data', 'value')) ?? '', /^version: v1alpha1/);
    const found = await w.client.get(secret, { name: 'cp-0-bootstrap-data', namespace: 'default' });
    assert.equal(found.metadata.ownerReferences?.[0]?.uid, (await w.config()).metadata.uid);
  });

  it('and the secrets of the cluster keep an owner after a restore, so that nobody collects them', async () => {
    const w = talosConfigWorld(CONTROL);
    await w.reconcile();
    await w.reconcile();
    const names = ['blue-talos', 'blue-talosconfig', 'cp-0-bootstrap-data'];
    for (const name of names) {
      const { metadata } = await w.client.get(secret, { name, namespace: 'default' });
      const ownerReferences = metadata.ownerReferences?.map((o) => ({ ...o, uid: 'before' }));
      await w.patch(secret, name, { metadata: { ownerReferences } });
    }
    await w.reconcile();
    for (const name of names) {
      const { metadata } = await w.client.get(secret, { name, namespace: 'default' });
      assert.notEqual(metadata.ownerReferences?.[0]?.uid, 'before', name);
    }
  });
});

describe('a TalosConfig of a pool of machines', () => {
  it('gives the pool its data, without a host name, and looks again for a pool that is not there', async () => {
    const ownerReferences = [{ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachinePool', name: 'pool', uid: 'p' }];
    const spec = { ...QUICK, hostname: { source: 'MachineName' } } as const;
    const alone = talosConfigWorld(spec, { config: { ownerReferences } });
    assert.equal((await alone.reconcile()).afterMs, 30_000);
    assert.match((await alone.condition('Ready')) ?? '', /WaitingForMachine: MachinePool pool, which owns this/);
    const pool = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'MachinePool',
      metadata: { name: 'pool', namespace: 'default' },
      spec: {
        clusterName: 'blue',
        template: { spec: { version: 'v1.31.0', infrastructureRef: { kind: 'PacketMachinePool', name: 'x' } } },
      },
    };
    const w = talosConfigWorld(spec, { config: { ownerReferences }, objects: [{ kind: machinePool, object: pool }] });
    await w.reconcile();
    const value = (await w.text('pool-bootstrap-data', 'value')) ?? '';
    assert.match(value, /^#!talos\n/);
    assert.match(value, /kubelet:v1\.31\.0/);
    assert.doesNotMatch(value, /hostname:/);
  });
});

describe('the secrets of a cluster', () => {
  it('in the legacy format are read, and left as they are', async () => {
    const first = talosConfigWorld({ ...QUICK, talosVersion: 'v1.1' });
    await first.reconcile();
    const bundle = (await first.text('blue-talos', 'bundle')) ?? '';
    const part = (from: string, to: string): string =>
      bundle.slice(bundle.indexOf(`${from}:`), to === '' ? undefined : bundle.indexOf(`\n${to}:`));
    const inner = (text: string): string => text.split('\n').slice(1).join('\n');
    const data = {
      kubeSecrets: inner(part('secrets', 'trustdinfo')),
      trustdInfo: inner(part('\ntrustdinfo', 'certs').trimStart()),
      certs: inner(part('\ncerts', '').trimStart()),
    };
    const w = talosConfigWorld(
      { ...CONTROL, talosVersion: 'v1.1' },
      { objects: [{ kind: secret, object: secretNamed('blue-talos', data) }] },
    );
    await w.reconcile();
    assert.match((await w.condition('Ready')) ?? '', /^True/);
    assert.equal(await w.text('blue-talos', 'bundle'), undefined);
    assert.match((await w.text('cp-0-bootstrap-data', 'value')) ?? '', /aescbcEncryptionSecret: /);
  });

  it('that cannot be used are said, and looked at again', async () => {
    const w = talosConfigWorld(QUICK, {
      objects: [{ kind: secret, object: secretNamed('blue-talos', { bundle: 'cluster: {}' }) }],
    });
    assert.equal((await w.reconcile()).afterMs, 30_000);
    assert.match((await w.condition('Ready')) ?? '', /reading Secret blue-talos: .*cluster\.id is required/);
    assert.equal(await has(w, 'cp-0-bootstrap-data'), false);
  });

  it('that are lost under running machines are not replaced by others', async () => {
    const meta = { name: 'cp-1', namespace: 'default' };
    const config = {
      apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1',
      kind: 'TalosConfig',
      metadata: meta,
      spec: CONTROL,
    };
    const running = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      metadata: meta,
      spec: {
        clusterName: 'blue',
        bootstrap: { configRef: { kind: 'TalosConfig', name: 'cp-1' }, dataSecretName: 'cp-1-bootstrap-data' },
        infrastructureRef: { kind: 'MetalMachine', name: 'x' },
      },
    };
    const w = talosConfigWorld(QUICK, {
      objects: [
        { kind: talosConfig, object: config },
        { kind: machine, object: running },
      ],
    });
    await w.reconcile();
    assert.match(
      (await w.condition('Ready')) ?? '',
      /Secret blue-talos is gone, and Machine cp-1 runs with the secrets/,
    );
    assert.deepEqual((await w.client.list(secret)).items, []);
  });

  it('that are lost later fail the talosconfig, and the machine config stays', async () => {
    const w = talosConfigWorld(CONTROL);
    await w.reconcile();
    await w.client.delete(secret, { name: 'blue-talos', namespace: 'default' });
    await w.reconcile();
    assert.equal(
      await w.condition('ClientConfigAvailable'),
      'False InternalError: talosconfig generation failure: Secret blue-talos is gone: restore it from a backup',
    );
    assert.match((await w.condition('Ready')) ?? '', /^True/);
    assert.equal(await has(w, 'blue-talos'), false, 'others would be another cluster');
  });
});

describe('the talosconfig of a cluster', () => {
  it('is written again for other endpoints, and 30 days before its end; 60 days before it is spoken of', async () => {
    const w = talosConfigWorld(CONTROL);
    await w.reconcile();
    await w.reconcile();
    const first = await w.text('blue-talosconfig', 'talosconfig');
    await w.patch(machine, 'cp-0', { status: { addresses: [{ type: 'InternalIP', address: '10.5.0.3' }] } }, true);
    await w.reconcile();
    const second = await w.text('blue-talosconfig', 'talosconfig');
    assert.notEqual(second, first);
    assert.equal(await w.condition('ClientConfigExpiring'), undefined);
    await w.clock.advance(320 * 86_400_000);
    await w.reconcile();
    assert.equal(await w.text('blue-talosconfig', 'talosconfig'), second);
    assert.equal(
      await w.condition('ClientConfigExpiring'),
      'True ExpiresSoon: the client certificate in Secret blue-talosconfig is valid until 2027-01-02; it is renewed 30 days before, copies of it are not',
    );
    await w.clock.advance(20 * 86_400_000);
    await w.reconcile();
    assert.notEqual(await w.text('blue-talosconfig', 'talosconfig'), second);
    assert.equal(await w.condition('ClientConfigExpiring'), undefined);
    assert.deepEqual(
      w.events.filter((event) => event.includes('ClientConfig')),
      [
        'Normal ClientConfigWritten: Secret blue-talosconfig was written: there was none.',
        'Normal ClientConfigWritten: Secret blue-talosconfig was written: the control plane has other addresses.',
        'Warning ClientConfigExpiring: the client certificate in Secret blue-talosconfig is valid until 2027-01-02; it is renewed 30 days before, copies of it are not.',
        'Normal ClientConfigWritten: Secret blue-talosconfig was written: its certificate had less than 30 days left.',
      ],
    );
  });
});

describe('the talosconfig of a cluster whose control plane shrinks', () => {
  it('is looked at again when a machine of the control plane is gone, by one that is left', () => {
    const [source] = createTalosConfigController({ random: (n) => new Uint8Array(n) }).watches;
    const member = (name: string, labels: Readonly<Record<string, string>>): Machine => ({
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      metadata: { name, namespace: 'default', labels },
      spec: {
        clusterName: 'blue',
        bootstrap: { configRef: { kind: 'TalosConfig', name } },
        infrastructureRef: { kind: 'MetalMachine', name },
      },
    });
    const label = { 'cluster.x-k8s.io/control-plane': '' };
    const [left, worker, gone] = [member('cp-0', label), member('w-0', {}), member('cp-1', label)];
    const cache = createObjectCache();
    for (const one of [left, worker]) cache.put(machine, one);
    const woken = (one: Machine) => source?.map(one, cache).map(({ name }) => name);
    assert.deepEqual([woken(gone), woken(left), woken(worker)], [['cp-1', 'cp-0'], ['cp-0'], ['w-0']]);
  });
});

describe('the talosconfig of a cluster that was moved', () => {
  it('keeps its endpoints while the machines have no addresses yet', async () => {
    const w = talosConfigWorld(CONTROL);
    await w.reconcile();
    await w.reconcile();
    const before = await w.text('blue-talosconfig', 'talosconfig');
    await w.patch(machine, 'cp-0', { status: { addresses: null } }, true);
    await w.reconcile();
    assert.equal(await w.text('blue-talosconfig', 'talosconfig'), before);
  });
});

describe('a TalosConfig that is deleted', () => {
  it('loses the finalizer of old releases, and nothing else happens', async () => {
    const w = talosConfigWorld(QUICK, { config: { finalizers: ['talosconfig.bootstrap.cluster.x-k8s.io'] } });
    await w.client.delete(talosConfig, CONFIG_KEY);
    await w.reconcile();
    assert.deepEqual((await w.client.list(talosConfig)).items, []);
    assert.deepEqual((await w.client.list(secret)).items, []);
  });
});

describe('a controller of TalosConfigs that is killed', () => {
  for (const at of ['before', 'after'] as const) {
    it(`${at} any of its calls converges, without changing what was written`, async () => {
      for (let dieAt = 1; dieAt < 60; dieAt++) {
        let calls = 0;
        const w = talosConfigWorld(CONTROL, {
          intercept: (_verb, _kind, _key, applied) => {
            if (applied !== (at === 'after')) return;
            calls += 1;
            if (calls === dieAt) throw new Error('killed');
          },
        });
        await w.reconcile().catch(() => undefined);
        await w.reconcile().catch(() => undefined);
        const isDone = calls < dieAt;
        calls = 1_000;
        const seen = new Map((await w.client.list(secret)).items.map(({ metadata, data }) => [metadata.name, data]));
        await w.reconcile();
        await w.reconcile();
        assert.equal((await w.config()).status?.initialization?.dataSecretCreated, true);
        const { items } = await w.client.list(secret);
        assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), [
          'blue-ca',
          'blue-talos',
          'blue-talosconfig',
          'cp-0-bootstrap-data',
        ]);
        for (const { metadata, data } of items) {
          const before = seen.get(metadata.name);
          if (before !== undefined) assert.deepEqual(data, before, `${metadata.name}, killed at call ${dieAt}`);
        }
        const value = (await w.text('cp-0-bootstrap-data', 'value')) ?? '';
        const ca = Buffer.from((await w.text('blue-ca', 'tls.crt')) ?? '').toString('base64');
        assert.ok(value.includes(ca), 'one set of secrets everywhere');
        if (isDone) return;
      }
      assert.fail('two reconciles make fewer calls than that');
    });
  }
});
