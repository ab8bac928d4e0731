import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BloomeryError } from '@bloomery/ports';
import { runProgram } from '../run-program.ts';
import type { ContentCache } from './content-cache.ts';

/** Name and exact version of a Debian package. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** The real kernel package behind a meta package such as `linux-image-amd64`, at the version that apt offers. */
export async function resolveKernelPackage(metaPackage: string): Promise<DebianPackage> {
  const depends = (await runProgram('apt-cache', ['depends', '--important', metaPackage])).toString();
  const name = /Depends: (linux-image-\d\S+)/.exec(depends)?.[1];
  if (name === undefined) {
    throw new BloomeryError('BLM_LAB_PROGRAM_FAILED', `looking for the kernel behind ${metaPackage}: apt names none`);
  }
  return { name, version: await candidateVersion(name) };
}

/** The version of a package that apt would install. */
export async function candidateVersion(name: string): Promise<string> {
  const policy = (await runProgram('apt-cache', ['policy', name])).toString();
  const version = /Candidate: (\S+)/.exec(policy)?.[1];
  if (version === undefined || version === '(none)') {
    throw new BloomeryError('BLM_LAB_PROGRAM_FAILED', `looking for package ${name}: apt has no candidate`);
  }
  return version;
}

/** The folder with the unpacked files of a package: fetched through apt, never installed. */
export function unpackedPackage(cache: ContentCache, { name, version }: DebianPackage): Promise<string> {
  return cache.ensure(`deb-${name}`, [name, version], async (path) => {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    await runProgram('apt-get', ['-qq', 'download', `${name}=${version}`], { cwd: path });
    const file = readdirSync(path).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new BloomeryError('BLM_LAB_PROGRAM_FAILED', `fetching ${name}: apt left no file`);
    await runProgram('dpkg-deb', ['-x', join(path, file), path]);
    rmSync(join(path, file));
  });
}
