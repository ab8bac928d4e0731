import { spawn } from 'node:child_process';
import { BloomeryError } from '@bloomery/ports';

/** What one run of ipmitool said. */
export interface IpmitoolOutput {
  /** Exit code; undefined when it was killed at its deadline. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Run ipmitool once. The password travels in its environment, never in its arguments.
 * @throws BLM_BMC_FAILED when the program cannot be started.
 */
export type RunIpmitool = (args: readonly string[], password: string, timeoutMs: number) => Promise<IpmitoolOutput>;

const MAX_OUTPUT = 64 * 1024;

/** Run the ipmitool program of this system. */
export const runIpmitool: RunIpmitool = (args, password, timeoutMs) =>
  new Promise((resolve, reject) => {
    const child = spawn('ipmitool', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', IPMITOOL_PASSWORD: password },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < MAX_OUTPUT) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_OUTPUT) stderr += text;
    });
    child.on('error', (cause) => {
      const text = `starting ipmitool: ${cause.message}; install the package ipmitool`;
      reject(new BloomeryError('BLM_BMC_FAILED', text, { retryable: true, cause }));
    });
    child.on('close', (code) => resolve({ code: code ?? undefined, stdout, stderr }));
  });
