import { randomBytes } from 'node:crypto';
import {
  createSecretsBundle,
  type GenerateSource,
  generateConfig,
  patchConfig,
  readPatch,
  type SecretsBundle,
  validateConfig,
  writeConfig,
} from '@bloomery/talos';
import { askTalosMachinery, talosMachineryMissing } from '@bloomery/talos/testing';
import { type BenchResult, median } from './bench-result.ts';

const ROUNDS = 300;
const TARGET_MS = 20;

/** As people have them: a disk, names, an interface with a VLAN, kubelet arguments, a document of its own. */
const PATCHES = [
  'machine:\n  install:\n    disk: /dev/nvme0n1\n  certSANs: [cp.example.com]\n  kubelet:\n    extraArgs:\n      rotate-server-certificates: "true"\n',
  'machine:\n  network:\n    interfaces:\n      - deviceSelector: {physical: true}\n        dhcp: true\n        vlans:\n          - vlanId: 42\n            addresses: [10.42.0.7/24]\n',
  'apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: kubelet\nportSelector:\n  ports: [10250]\n  protocol: tcp\ningress:\n  - subnet: 10.0.0.0/8\n',
];

/** A control plane configuration: generated, patched, checked and written; the patching also beside Talos' own library. */
export async function benchConfig(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const contract = { major: 1, minor: 13 };
  const bundle = await createSecretsBundle({ contract, nowMs: Date.now(), random: randomBytes });
  const first = timed(() => make(bundle));
  const rounds = Array.from({ length: ROUNDS }, () => timed(() => make(bundle)));
  const base = writeConfig(generateConfig(sourceOf(bundle)), 'strict');
  const patching = Array.from({ length: ROUNDS }, () => timed(() => patched(base)));
  const worst = Math.max(...rounds);
  say(`config: first ${first.toFixed(1)} ms, worst of ${ROUNDS} ${worst.toFixed(1)} ms`);
  const machineryMs = await machineryTime(base, say);
  return [
    {
      name: 'config generated, patched, validated',
      unit: 'ms',
      ours: median(rounds),
      target: { atMost: TARGET_MS },
      note: `first ${first.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`,
    },
    {
      name: 'config patched',
      unit: 'ms',
      ours: median(patching),
      ...(machineryMs === undefined ? {} : { peer: { name: 'machinery 1.13.9', value: machineryMs } }),
    },
  ];
}

const sourceOf = (bundle: SecretsBundle): GenerateSource => ({
  bundle,
  contract: { major: 1, minor: 13 },
  machineType: 'controlplane',
  clusterName: 'bench',
  endpoint: 'https://10.0.0.10:6443',
  kubernetesVersion: '1.36.3',
});

function make(bundle: SecretsBundle): void {
  const documents = patched(writeConfig(generateConfig(sourceOf(bundle)), 'strict'));
  const { errors } = validateConfig(documents, { mode: 'metal' });
  if (errors.length > 0) throw new Error(errors.join('; '));
}

function patched(config: string) {
  const patches = PATCHES.map((text) => readPatch(text, 'strict'));
  const documents = patchConfig(config, patches, { strictness: 'strict' });
  writeConfig(documents, 'strict');
  return documents;
}

function timed(run: () => void): number {
  const startedMs = performance.now();
  run();
  return performance.now() - startedMs;
}

async function machineryTime(config: string, say: (line: string) => void): Promise<number | undefined> {
  const missing = talosMachineryMissing();
  if (missing !== false) {
    say(`config: no comparison (${missing})`);
    return undefined;
  }
  const [answer] = await askTalosMachinery([{ config, patches: PATCHES, repeat: ROUNDS }]);
  return (answer?.tookNs ?? Number.NaN) / 1e6;
}
