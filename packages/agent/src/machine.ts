import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { BlockAttributes } from './hardware/disk.ts';

/** What a program of the boot image did. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  /** Last 2 000 characters. */
  readonly stderr: string;
}

/** Run a program of the boot image. Never throws: a missing program ends with code 127. */
export type RunProgram = (program: string, args: readonly string[], timeoutMs?: number) => Promise<ProgramResult>;

const MAX_OUTPUT = 65_536;

/** Runs programs with a deadline (60 s unless given) and bounded output. */
export const runProgram: RunProgram = (program, args, timeoutMs = 60_000) =>
  new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    child.stdout.on('data', (chunk) => {
      if (stdout.length < MAX_OUTPUT) stdout += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + String(chunk)).slice(-2000);
    });
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: errorText(error) }));
    child.on('close', (code) => resolve({ code: code ?? 124, stdout, stderr: stderr.trim() }));
  });

/** Read a small file of the kernel; undefined when it is absent or unreadable. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** Names in a folder of the kernel, sorted; empty when it is absent. */
export async function listNames(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

/** Read the named files below a folder at once, for pure describers. */
export async function readAttributes(dir: string, files: readonly string[]): Promise<BlockAttributes> {
  const pairs = await Promise.all(files.map(async (file) => [file, await readText(`${dir}/${file}`)] as const));
  const values = new Map(pairs);
  return (file) => values.get(file);
}

/** Run a program that has to succeed. @throws BloomeryError with this code, naming what was attempted. */
export async function mustRun(
  run: RunProgram,
  code: 'BLM_AGENT_LINK_MISSING' | 'BLM_AGENT_IPMI_FAILED' | 'BLM_AGENT_DHCP_FAILED',
  [program, ...args]: readonly [string, ...string[]],
): Promise<string> {
  const result = await run(program, args);
  if (result.code === 0) return result.stdout;
  const facts = { program, code: result.code };
  throw new BloomeryError(code, `running ${program} ${args[0] ?? ''}: ended with ${result.code}: ${result.stderr}`, {
    facts,
  });
}
