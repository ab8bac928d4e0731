import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { encodeDocuments, loadConfig, patchConfig, readPatch, writeConfig } from '../config/index.ts';
import { createSecretsBundle, type SecretsBundle } from '../secrets/index.ts';
import { askTalosMachinery, type MachineryRequest, talosMachineryMissing } from '../testing/talos-machinery.ts';
import { validateConfig } from '../validate/index.ts';
import { readYaml, talosJson } from '../yaml/index.ts';
import { generateConfig, type MachineType, NEWEST_CONTRACT } from './index.ts';

const DISK = 'machine:\n  install:\n    disk: /dev/vda\n';
/** As people have them. Documents of newer Talos only where the configuration has documents already. */
const PATCHES: readonly { readonly name: string; readonly patches: readonly string[]; readonly from: number }[] = [
  { name: 'a disk', from: 0, patches: [DISK] },
  {
    name: 'an interface with a VLAN',
    from: 0,
    patches: [
      DISK,
      'machine:\n  network:\n    interfaces:\n      - deviceSelector: {driver: virtio}\n        dhcp: true\n      - deviceSelector: {physical: true}\n        mtu: 9000\n',
      'machine:\n  network:\n    interfaces:\n      - deviceSelector: {driver: virtio}\n        vlans: [{vlanId: 42, addresses: [10.42.0.7/24]}]\n      - deviceSelector: {physical: true}\n        dhcp: true\n',
    ],
  },
  {
    name: 'arguments, sysctls and files',
    from: 0,
    patches: [
      `${DISK}  kubelet:\n    extraArgs: {rotate-server-certificates: "true"}\n  sysctls: {vm.max_map_count: "262144"}\n`,
      'machine:\n  files:\n    - {path: /var/etc/a, permissions: 0o644, op: create, content: a}\n',
    ],
  },
  {
    name: 'deletions',
    from: 8,
    patches: [DISK, 'machine:\n  features:\n    kubePrism:\n      $patch: delete\n'],
  },
  {
    name: 'further documents',
    from: 12,
    patches: [
      DISK,
      'apiVersion: v1alpha1\nkind: HostnameConfig\nauto: off\nhostname: a\n---\napiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: kubelet\nportSelector: {ports: [10250, 1-5], protocol: tcp}\ningress: [{subnet: 10.0.0.0/8}]\n',
      'apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\nprovisioning: {minSize: 10GiB, grow: true}\n',
    ],
  },
];

function generated(bundle: SecretsBundle, minor: number, machineType: MachineType): string {
  return writeConfig(
    generateConfig({
      bundle,
      machineType,
      contract: { major: 1, minor },
      clusterName: 'blue',
      endpoint: 'https://10.5.0.10:6443',
      kubernetesVersion: '1.32.3',
      options: { registryMirrors: { 'docker.io': ['http://10.0.0.1:5000'] }, additionalSANs: ['a.example.com'] },
    }),
    'strict',
  );
}

describe('generated configurations before the real Talos library', { skip: talosMachineryMissing() }, () => {
  it('are valid, and patched alike, for every contract and type', async () => {
    const requests: (MachineryRequest & { readonly name: string })[] = [];
    for (const minor of [0, 1, 2, NEWEST_CONTRACT.minor]) {
      const bundle = await createSecretsBundle({
        contract: { major: 1, minor },
        nowMs: Date.now(),
        random: randomBytes,
      });
      const first = minor === NEWEST_CONTRACT.minor ? 3 : minor;
      for (let contract = first; contract <= minor; contract++) {
        for (const type of ['controlplane', 'init', 'worker'] as const) {
          const config = generated(bundle, contract, type);
          for (const { name, patches } of PATCHES.filter(({ from }) => contract >= from)) {
            const about = `${type} ${contract} with ${name}`;
            requests.push({ name: about, config, patches, mode: 'metal', strict: true });
          }
        }
      }
    }
    const answers = await askTalosMachinery(requests);
    for (const [i, answer] of answers.entries()) {
      const name = requests[i]?.name ?? '';
      assert.equal(`${name} ${answer.stage} ${answer.error}`, `${name}  `);
      assert.deepEqual({ name, errors: answer.errors, warnings: answer.warnings }, { name, errors: [], warnings: [] });
      const { config, patches } = requests[i] ?? { config: '', patches: [] };
      const read = patches.map((text) => readPatch(text, 'strict'));
      const ours = encodeDocuments(patchConfig(config, read, { strictness: 'strict' }));
      assert.deepEqual(ours.map(talosJson), readYaml(answer.output).map(talosJson), `${name} is encoded alike`);
      const own = validateConfig(loadConfig(answer.output), { mode: 'metal', strict: true });
      assert.deepEqual({ name, ...own }, { name, errors: [], warnings: [] });
    }
  });
});
