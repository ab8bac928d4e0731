import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../run-program.ts';

/** The real kubectl that set-up provides: a current one where test peers are built, else Debian's, else the one in PATH. */
export function findKubectl(cacheDir: string): string {
  const candidates = [join(cacheDir, 'peers/kubectl'), join(cacheDir, 'kubectl-1.20')];
  return candidates.find((path) => existsSync(path)) ?? 'kubectl';
}

/** Run kubectl against a plane and return what it printed. @throws BLM_LAB_PROGRAM_FAILED with its error text. */
export async function runKubectl(kubectl: string, kubeconfig: string, args: readonly string[]): Promise<string> {
  const cache = `${kubeconfig}-cache`;
  return (await runProgram(kubectl, ['--kubeconfig', kubeconfig, '--cache-dir', cache, ...args])).toString();
}
