import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BloomeryError } from '@bloomery/ports';
import { inNamespace } from '../rack/rack-network.ts';
import { runProgram } from '../run-program.ts';
import type { Lab } from './start-lab.ts';

/** Paths of what a cluster's users are given. */
export interface ClusterFiles {
  readonly kubeconfig: string;
  readonly talosconfig: string;
}

/** Write kubeconfig and talosconfig of a cluster into files that only their owner reads. */
export async function saveClusterFiles(
  lab: Pick<Lab, 'bloomery'>,
  cluster: string,
  dir: string,
): Promise<ClusterFiles> {
  const save = async (what: string): Promise<string> => {
    const file = join(dir, `${cluster}.${what}`);
    writeFileSync(file, await lab.bloomery(what, cluster), { mode: 0o600 });
    return file;
  };
  return { kubeconfig: await save('kubeconfig'), talosconfig: await save('talosconfig') };
}

/** What a cluster answers to its users, asked from within the rack's network: this host has no way there. */
export async function askWorkload(
  { kubectlPath, rack }: Pick<Lab, 'kubectlPath' | 'rack'>,
  { kubeconfig, talosconfig }: ClusterFiles,
  sourceDir: string,
): Promise<{ readonly nodes: string; readonly services: string }> {
  const ask = async (...command: [string, ...string[]]): Promise<string> => {
    const [program, ...args] = inNamespace(rack.network.namespace, command);
    const answer = (await runProgram(program, args)).toString();
    if (answer.trim() !== '') return answer;
    throw new BloomeryError('BLM_LAB_STAGE_MISSED', `running ${command.join(' ')}: it printed nothing`);
  };
  const cache = ['--cache-dir', `${kubeconfig}-cache`];
  const program = join(sourceDir, 'packages/lab/src/demo/talos-services.ts');
  return {
    nodes: await ask(kubectlPath, '--kubeconfig', kubeconfig, ...cache, 'get', 'nodes', '-o', 'wide'),
    services: await ask(process.execPath, program, talosconfig),
  };
}
