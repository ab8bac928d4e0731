import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateConfig } from '../generate/index.ts';
import { createSecretsBundle } from '../secrets/index.ts';
import { diffConfigs, patchConfig, readConfig, readPatch, redactConfig, writeConfig } from './index.ts';

const read = (text: string) => readConfig(text, 'lenient');
const redacted = (text: string): string => writeConfig(redactConfig(read(text)), 'lenient');

describe('a configuration that people look at', () => {
  it('shows no secret of the bundle, whatever the contract', async () => {
    for (const minor of [1, 13]) {
      const contract = { major: 1, minor };
      const bundle = await createSecretsBundle({ contract, nowMs: Date.now(), random: randomBytes });
      const source = { bundle, contract, clusterName: 'c', endpoint: 'https://a:6443', kubernetesVersion: '1.32.0' };
      const text = writeConfig(redactConfig(generateConfig({ ...source, machineType: 'controlplane' })), 'lenient');
      const secrets = [
        bundle.clusterSecret,
        bundle.bootstrapToken,
        bundle.trustdToken,
        bundle.aescbcEncryptionSecret,
        bundle.secretboxEncryptionSecret,
        ...[bundle.os, bundle.etcd, bundle.kubernetes, bundle.aggregator].map(({ key }) => encoded(key)),
        encoded(bundle.serviceAccountKey),
      ];
      assert.deepEqual(
        secrets.filter((secret) => secret !== '' && text.includes(secret)),
        [],
      );
      assert.ok(text.includes(encoded(bundle.os.crt)), 'certificates are shown');
    }
  });

  const cases: readonly [name: string, text: string, want: string][] = [
    [
      'hides credentials of registries, VIPs, disks and wireguard',
      'machine:\n    registries:\n        config:\n            r:\n                auth:\n                    username: u\n                    password: p\n                    auth: a\n',
      'machine:\n    registries:\n        config:\n            r:\n                auth:\n                    username: u\n                    password: "******"\n                    auth: "******"\n',
    ],
    [
      'hides join tokens and passwords inside URLs',
      'apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://u:pw@h:1?jointoken=abc&x=1\n',
      'apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: "https://u:******@h:1?jointoken=******&x=1"\n',
    ],
    [
      'hides Secrets among manifests, and keeps other manifests',
      'cluster:\n    inlineManifests:\n        - name: a\n          contents: "kind: Secret\\ndata: {a: b}"\n        - name: b\n          contents: "kind: ConfigMap"\n',
      'cluster:\n    inlineManifests:\n        - name: a\n          contents: "******"\n        - name: b\n          contents: "kind: ConfigMap"\n',
    ],
    [
      'hides variables whose name speaks of a secret',
      'apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: x\nenvironment:\n    - TS_AUTH_TOKEN=abc\n    - MODE=abc\n',
      'apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: x\nenvironment:\n    - TS_AUTH_TOKEN=******\n    - MODE=abc\n',
    ],
  ];
  for (const [name, text, want] of cases)
    it(name, () => assert.equal(redacted(text).replaceAll('"', ''), want.replaceAll('"', '')));

  it('hides Secrets also in lists, in JSON and after tabs, and is not held up by empty lines', () => {
    const shown = (contents: string): string =>
      redacted(JSON.stringify({ cluster: { inlineManifests: [{ name: 'a', contents }] } }));
    for (const contents of [
      '{"apiVersion":"v1","kind":"Secret","stringData":{"a":"hunter2"}}',
      'kind: List\nitems:\n- kind: Secret\n  stringData: {a: hunter2}\n',
      'apiVersion: v1\nkind:\tSecret\nstringData: {a: hunter2}\n',
    ]) {
      assert.doesNotMatch(shown(contents), /hunter2/, contents);
    }
    assert.match(shown('kind: SecretStore\n'), /SecretStore/);
    assert.match(shown(`${'\n'.repeat(300_000)}a: shown`), /shown/);
  });
});

describe('two configurations', () => {
  it('are compared place by place, without showing secrets', () => {
    const before =
      'machine:\n  token: abcdef\n  certSANs: [a]\n  install: {disk: /dev/sda, wipe: false}\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n';
    const patch = 'machine: {token: ghijkl, certSANs: [b], install: {disk: /dev/vda}, sysctls: {a: "1"}}';
    const gone = 'apiVersion: v1alpha1\nkind: HostnameConfig\n$patch: delete';
    const after = patchConfig(before, [readPatch(patch, 'strict'), readPatch(gone, 'strict')], {
      strictness: 'strict',
    });
    const changes = diffConfigs(readConfig(before, 'strict'), after);
    assert.deepEqual(
      changes.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      [
        {
          document: 'v1alpha1/HostnameConfig',
          path: '',
          change: 'removed',
          from: '{"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"stable"}',
        },
        { document: '/v1alpha1', path: 'machine.certSANs.1', change: 'added', to: 'b' },
        {
          document: '/v1alpha1',
          path: 'machine.install.disk',
          change: 'changed',
          from: '/dev/sda',
          to: '/dev/vda',
        },
        { document: '/v1alpha1', path: 'machine.sysctls', change: 'added', to: '{"a":"1"}' },
        { document: '/v1alpha1', path: 'machine.token', change: 'changed', from: '******', to: '******' },
      ],
    );
  });

  it('that are equal have no changes', () => {
    const text = 'machine:\n  type: worker\n  certSANs: [a]\n';
    assert.deepEqual(diffConfigs(read(text), read(text)), []);
  });
});

const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
