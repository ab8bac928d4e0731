import { spawn } from 'node:child_process';
import { KUBECTLS, type Target } from './target.ts';

/** What one kubectl printed. */
export interface KubectlRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 60_000;

/** Run a kubectl as the administrator of a target, with a discovery cache of its own per target and version. */
export async function runKubectl(
  target: Target,
  args: readonly string[],
  options: { readonly input?: string; readonly old?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<KubectlRun> {
  const { kubeconfig } = target;
  const program = options.old === true ? KUBECTLS.old : KUBECTLS.current;
  const cache = `${kubeconfig}-cache-${options.old === true ? 'old' : 'current'}`;
  const { promise, resolve, reject } = Promise.withResolvers<KubectlRun>();
  const child = spawn(program, ['--kubeconfig', kubeconfig, '--cache-dir', cache, ...args], {
    env: { ...process.env, KUBECTL_EXTERNAL_DIFF: 'diff -u', ...options.env },
    timeout: TIMEOUT_MS,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.on('error', reject);
  child.on('close', (code) => resolve({ code, stdout, stderr }));
  // A kubectl that reads nothing may be gone before its input is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return promise;
}
