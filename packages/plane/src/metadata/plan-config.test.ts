import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSecretsBundle, generateConfig, readYaml, talosJson, writeConfig } from '@bloomery/talos';
import { askTalosMachinery, talosMachineryMissing } from '@bloomery/talos/testing';
import fc from 'fast-check';
import { type ConfigInput, planConfig } from './plan-config.ts';

const NAME = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const base = { server: NAME, endpoint: { host: '10.77.0.1', port: 8081 }, linkAddress: 'fd00::1' };

describe('a planned configuration', () => {
  it('keeps every scalar and unknown part exactly as it was', () => {
    const bootstrap =
      'version: v1alpha1\nfuture:\n  - {a: yes, b: 0644, c: "0123", d: 12345678901234567890, e: 1e3}\nmachine:\n  kubelet:\n    extraArgs:\n      node-labels:\n---\napiVersion: v2\nkind: Unheard\nname: x\nvalue: 0o7\n';
    const plan = planConfig({ ...base, bootstrap, sources: [] });
    assert.ok(plan.ok);
    for (const line of [
      'a: yes',
      'b: 0644',
      'c: "0123"',
      'd: 12345678901234567890',
      'e: 1e3',
      'value: 0o7',
      `node-labels: metal.sidero.dev/uuid=${NAME}`,
    ]) {
      assert.equal(plan.body.includes(line), true, `${line} in\n${plan.body}`);
    }
    assert.deepEqual(plan.warnings, ['/v1alpha1: future: unknown key', 'v2/Unheard/x: unknown kind of document']);
  });

  it('keeps a log destination of the user beside ours and takes over a single event sink', () => {
    const bootstrap =
      'version: v1alpha1\nmachine: {}\n---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: mine\nurl: tcp://1.2.3.4:5\n---\napiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: 1.2.3.4:5\n';
    const plan = planConfig({ ...base, bootstrap, sources: [] });
    assert.ok(plan.ok);
    assert.deepEqual(readYaml(plan.body).map(talosJson).slice(1), [
      { apiVersion: 'v1alpha1', kind: 'KmsgLogConfig', name: 'mine', url: 'tcp://1.2.3.4:5' },
      { apiVersion: 'v1alpha1', kind: 'EventSinkConfig', endpoint: '[fd00::1]:4002' },
      { apiVersion: 'v1alpha1', kind: 'SideroLinkConfig', apiUrl: 'grpc://10.77.0.1:8081' },
      { apiVersion: 'v1alpha1', kind: 'KmsgLogConfig', name: 'remote-log', url: 'tcp://[fd00::1]:4001' },
    ]);
  });

  it('says TLS, token and tunnel of the link as the kernel argument does', () => {
    const linkApi = { tls: true, joinToken: 'a+b/c', tunnel: true };
    const plan = planConfig({ ...base, linkApi, bootstrap: 'version: v1alpha1\nmachine: {}\n', sources: [] });
    assert.ok(plan.ok);
    assert.deepEqual(readYaml(plan.body).map(talosJson)[1], {
      apiVersion: 'v1alpha1',
      kind: 'SideroLinkConfig',
      apiUrl: 'https://10.77.0.1:8081?jointoken=a%2Bb%2Fc&grpc_tunnel=true',
    });
  });

  const versions: [image: string | undefined, talosVersion: string | undefined, documents: number][] = [
    [undefined, undefined, 4],
    [undefined, 'v1.4', 1],
    [undefined, 'v1.5', 4],
    ['ghcr.io/siderolabs/installer:v1.4.8', undefined, 1],
    ['ghcr.io/siderolabs/installer:v1.4.8@sha256:00', 'v1.9', 1],
    ['localhost:5000/installer:v1.13.0', 'v1.4', 4],
    ['localhost:5000/installer', 'v1.4', 1],
    ['installer:latest', undefined, 4],
    ['installer:v0.14', undefined, 1],
  ];
  for (const [image, talosVersion, documents] of versions) {
    it(`has ${documents} documents for installer ${image} and TalosConfig ${talosVersion}`, () => {
      const install = image === undefined ? '{}' : `{image: "${image}"}`;
      const bootstrap = `version: v1alpha1\nmachine: {install: ${install}}\n`;
      const known = talosVersion === undefined ? {} : { talosVersion };
      const plan = planConfig({ ...base, ...known, bootstrap, sources: [] });
      assert.ok(plan.ok);
      assert.equal(readYaml(plan.body).length, documents);
    });
  }

  it('applies a JSON patch to the v1alpha1 document of several, and never quotes values when one fails', () => {
    const source = {
      what: 'server',
      configPatches: [{ op: 'test', path: '/machine/token', value: 'hunter2' }],
      strategicPatches: [],
    };
    const bootstrap =
      'version: v1alpha1\nmachine: {token: secret-one}\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n';
    const plan = planConfig({ ...base, bootstrap, sources: [source] });
    assert.deepEqual(plan, {
      ok: false,
      status: 500,
      text: 'failure applying patches of server to machine config: patching patch 1: applying JSON patch: operation 1 (test /machine/token): test failed',
    });
  });

  it('is an answer for any bootstrap data and any patches', (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    t.diagnostic(`SEED=${seed}`);
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom(
        'version: v1alpha1\nmachine: {}',
        'version: v1alpha1\nmachine: 5',
        'version: v1alpha1\nmachine: {kubelet: []}',
        '- a',
        'machine: {$patch: delete}',
        '[]',
        '---\n---\n',
      ),
      fc.json().map((json) => `version: v1alpha1\nmachine: ${json}`),
    );
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'test', 'move', ''),
      path: fc.constantFrom('', '/', '/machine', '/machine/-', '/version', '/machine/0/x'),
      value: fc.constantFrom(null, 5, {}, []),
    });
    const source = fc.record({
      what: fc.constant('server'),
      configPatches: fc.array(operation, { maxLength: 3 }),
      strategicPatches: fc.array(text, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(text, fc.array(source, { maxLength: 2 }), (bootstrap, sources) => {
        const input: ConfigInput = { ...base, bootstrap, sources };
        const plan = planConfig(input);
        if (plan.ok) assert.equal(readYaml(plan.body).length >= 4, true);
        else assert.equal(plan.status, 500);
      }),
      { seed, numRuns: 3_000, interruptAfterTimeLimit: 20_000 },
    );
  });
});

describe('a planned configuration before the real Talos library', { skip: talosMachineryMissing() }, () => {
  it('is valid when it is made from a generated one', async () => {
    const requests = [];
    for (const [minor, machineType] of [
      [6, 'controlplane'],
      [13, 'controlplane'],
      [13, 'worker'],
    ] as const) {
      const contract = { major: 1, minor };
      const bundle = await createSecretsBundle({ contract, nowMs: Date.now(), random: randomBytes });
      const generated = generateConfig({
        bundle,
        contract,
        machineType,
        clusterName: 'blue',
        endpoint: 'https://10.5.0.10:6443',
        kubernetesVersion: '1.32.3',
      });
      const source = {
        what: 'server',
        configPatches: [{ op: 'add', path: '/machine/install/disk', value: '/dev/vda' }],
        strategicPatches: ['machine:\n  network:\n    interfaces:\n      - interface: eth0\n        dhcp: true\n'],
      };
      const plan = planConfig({ ...base, bootstrap: writeConfig(generated, 'strict'), sources: [source] });
      assert.ok(plan.ok, JSON.stringify(plan));
      assert.deepEqual(plan.warnings, []);
      requests.push({ config: plan.body, patches: [], mode: 'metal' as const, strict: true });
    }
    for (const answer of await askTalosMachinery(requests)) {
      assert.deepEqual({ ...answer, output: '' }, { stage: '', error: '', output: '', errors: [], warnings: [] });
    }
  });
});
