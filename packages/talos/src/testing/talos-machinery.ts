import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A configuration to put before the real Talos library, with patches and, when `mode` is given, its validation. */
export interface MachineryRequest {
  readonly config: string;
  readonly patches: readonly string[];
  readonly mode?: 'metal' | 'cloud' | 'container';
  readonly strict?: boolean;
  /** Do it so many times, for the time of one. */
  readonly repeat?: number;
}

/** What it says. `stage` is empty when everything was accepted. */
export interface MachineryAnswer {
  readonly stage: '' | 'load' | 'apply' | 'result' | 'panic';
  readonly error: string;
  /** The configuration as Talos encodes it. */
  readonly output: string;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Mean time of one, when `repeat` was given. */
  readonly tookNs?: number;
}

/** Where set-up puts the test peer that is built from test/peers/talos-machinery. */
export function talosMachineryPath(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery/peers/talos-machinery');
}

/** Why tests against the real library are skipped; false when they are not. */
export function talosMachineryMissing(): string | false {
  return existsSync(talosMachineryPath()) ? false : `${talosMachineryPath()} is not built (make setup builds it)`;
}

/** Ask the real Talos library (machinery 1.13.9). For tests. Answers are in the order of the requests. */
export async function askTalosMachinery(requests: readonly MachineryRequest[]): Promise<MachineryAnswer[]> {
  const child = spawn(talosMachineryPath(), { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
  const answers: MachineryAnswer[] = [];
  for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line) as MachineryAnswer);
  if (answers.length !== requests.length) throw new Error(`${answers.length} answers to ${requests.length} requests`);
  return answers;
}
