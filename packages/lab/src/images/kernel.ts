import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../run-program.ts';
import type { ContentCache } from './content-cache.ts';
import type { CpioEntry } from './cpio.ts';
import { resolveKernelPackage, unpackedPackage } from './debian-package.ts';
import { selectModules } from './kernel-modules.ts';

/** Debian's kernel for the images. */
export interface Kernel {
  /** Path of the bootable file. */
  readonly vmlinuz: string;
  readonly release: string;
  /** The packed modules and their indexes. */
  readonly modules: readonly CpioEntry[];
}

/** Fetch Debian's current kernel and choose these modules of it, with what they need. */
export async function fetchKernel(cache: ContentCache, modules: readonly string[]): Promise<Kernel> {
  const root = await unpackedPackage(cache, await resolveKernelPackage('linux-image-amd64'));
  const release = readdirSync(join(root, 'lib/modules'))[0] ?? '';
  const dir = join(root, 'lib/modules', release);
  if (!existsSync(join(dir, 'modules.alias'))) await runProgram('/sbin/depmod', ['-b', root, release]);
  const { paths, dependencies, aliases } = selectModules(
    {
      dependencies: readFileSync(join(dir, 'modules.dep'), 'utf8'),
      aliases: readFileSync(join(dir, 'modules.alias'), 'utf8'),
    },
    modules,
  );
  const at = (file: string): string => `lib/modules/${release}/${file}`;
  const text = (file: string, content: Uint8Array | string): CpioEntry => ({
    path: at(file),
    kind: 'file',
    content: Buffer.from(content),
    executable: false,
  });
  return {
    vmlinuz: join(root, 'boot', `vmlinuz-${release}`),
    release,
    modules: [
      ...paths.map((path) => text(path, readFileSync(join(dir, path)))),
      text('modules.dep', dependencies),
      text('modules.alias', aliases),
      text('modules.builtin', readFileSync(join(dir, 'modules.builtin'))),
    ],
  };
}
