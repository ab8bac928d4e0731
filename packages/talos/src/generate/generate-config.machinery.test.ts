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
  it('are valid for a machine with an install disk, for every contract and type', async () => {
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
          requests.push({ name: `${type} ${contract}`, config, patches: [DISK], mode: 'metal', strict: true });
        }
      }
    }
    const answers = await askTalosMachinery(requests);
    for (const [i, answer] of answers.entries()) {
      const name = requests[i]?.name ?? '';
      assert.equal(`${name} ${answer.stage} ${answer.error}`, `${name}  `);
      assert.deepEqual({ name, errors: answer.errors, warnings: answer.warnings }, { name, errors: [], warnings: [] });
      const request = requests[i] ?? { config: '' };
      const ours = encodeDocuments(patchConfig(request.config, [readPatch(DISK, 'strict')], { strictness: 'strict' }));
      assert.deepEqual(ours.map(talosJson), readYaml(answer.output).map(talosJson), `${name} is encoded alike`);
      const own = validateConfig(loadConfig(answer.output), { mode: 'metal', strict: true });
      assert.deepEqual({ name, ...own }, { name, errors: [], warnings: [] });
    }
  });
});
