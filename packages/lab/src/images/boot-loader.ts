import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../run-program.ts';
import type { ContentCache } from './content-cache.ts';
import type { CpioEntry } from './cpio.ts';
import { candidateVersion, unpackedPackage } from './debian-package.ts';

/** Finds the partition that the stand-in's installer made, on whichever disk that is, and reads its menu. */
const EARLY_CONFIG = `search --no-floppy --set=root --label STANDIN
set prefix=($root)/grub
configfile ($root)/grub/grub.cfg
`;
const MODULES = [
  'part_msdos',
  'fat',
  'search',
  'search_label',
  'configfile',
  'linux',
  'echo',
  'normal',
  'test',
  'serial',
  'terminal',
];
const GRUB_FILES = 'usr/share/stand-in/grub';

/** GRUB for the disk of the Talos stand-in: boot sector and core for BIOS, one program for UEFI. */
export async function bootLoaderFiles(cache: ContentCache): Promise<CpioEntry[]> {
  const names = ['grub-common', 'grub-pc-bin', 'grub-efi-amd64-bin'];
  const packages = await Promise.all(names.map(async (name) => ({ name, version: await candidateVersion(name) })));
  const versions = packages.map((p) => p.version);
  const dir = await cache.ensure('grub', [...versions, EARLY_CONFIG, ...MODULES], async (path) => {
    mkdirSync(path, { recursive: true });
    const [common, pc, efi] = await Promise.all(packages.map((p) => unpackedPackage(cache, p)));
    const config = join(path, 'early.cfg');
    writeFileSync(config, EARLY_CONFIG);
    const installed = '/usr/bin/grub-mkimage';
    const mkimage = existsSync(installed) ? installed : join(common ?? '', installed);
    const image = (root: string | undefined, format: string, output: string, modules: readonly string[]) =>
      runProgram(mkimage, [
        ...['--directory', join(root ?? '', 'usr/lib/grub', format), '--prefix', '/grub', '--config', config],
        ...['--format', format, '--output', join(path, output), ...MODULES, ...modules],
      ]);
    await image(pc, 'i386-pc', 'core.img', ['biosdisk']);
    await image(efi, 'x86_64-efi', 'bootx64.efi', []);
    copyFileSync(join(pc ?? '', 'usr/lib/grub/i386-pc/boot.img'), join(path, 'boot.img'));
  });
  return ['boot.img', 'core.img', 'bootx64.efi'].map((file) => ({
    path: `${GRUB_FILES}/${file}`,
    kind: 'file',
    content: readFileSync(join(dir, file)),
    executable: false,
  }));
}
