import { readFileSync, realpathSync } from 'node:fs';
import { runProgram } from '../run-program.ts';
import type { CpioEntry } from './cpio.ts';

/** A program of this machine for the image: where it is and where it goes. */
export interface ImageProgram {
  /** Name for `which`, or an absolute path. */
  readonly from: string;
  readonly to: string;
}

/** The files of programs with the shared libraries that they load, each once. */
export async function programFiles(programs: readonly ImageProgram[]): Promise<CpioEntry[]> {
  const files = new Map<string, CpioEntry>();
  for (const { from, to } of programs) {
    const path = from.startsWith('/') ? from : (await runProgram('which', [from])).toString().trim();
    files.set(to, { path: to, kind: 'file', content: readFileSync(realpathSync(path)), executable: true });
    for (const library of await sharedLibraries(path)) {
      const target = library.replace(/^\/(usr\/)?/, '');
      files.set(target, { path: target, kind: 'file', content: readFileSync(realpathSync(library)), executable: true });
    }
  }
  return [...files.values()];
}

/** Absolute paths of the libraries that the loader finds for a program, the loader itself included. */
async function sharedLibraries(program: string): Promise<string[]> {
  if (readFileSync(program).indexOf('/lib64/ld-linux') === -1) return [];
  const listed = (await runProgram('ldd', [program])).toString();
  return listed
    .split('\n')
    .map((line) => /(?:=>\s+|^\s+)(\/\S+) \(0x/.exec(line)?.[1])
    .filter((path) => path !== undefined);
}
