import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { SysfsTree } from './fake-sysfs.ts';

/** A question for systemd's own `net_id`. Without a tree, about the sysfs of this host. */
export interface NetIdQuestion {
  readonly tree?: SysfsTree;
  readonly syspath: string;
  readonly scheme: string;
}

/** The program that answers; UDEVADM names another one. */
export const udevadm =
  process.env['UDEVADM'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery/peers/udevadm');

/** Its version; undefined when it does not run. */
export function udevadmVersion(): number | undefined {
  const { stdout } = spawnSync(udevadm, ['--version'], { encoding: 'utf8' });
  const version = Number.parseInt(stdout ?? '', 10);
  return Number.isNaN(version) ? undefined : version;
}

/** Whether trees can be put in the place of /sys: only root may. */
export const canReplaceSysfs = (): boolean => spawnSync('unshare', ['--mount', 'true']).status === 0;

/**
 * In a mount namespace of its own each tree is /sys for a moment. /proc/device-tree, which no PC has, is added beside what the program
 * reads of /proc.
 */
const SCRIPT = `
program=$1; folder=$2; count=$3
export SYSTEMD_DEVICE_VERIFY_SYSFS=0
mount --bind /proc "$folder/proc"
mount -t tmpfs none /proc
for name in self cmdline filesystems mounts sys 1; do ln -s "$folder/proc/$name" "/proc/$name"; done
ln -s /sys/firmware/devicetree/base /proc/device-tree
i=0
while [ $i -lt $count ]; do
  if [ -d "$folder/$i/sys" ]; then mount --bind "$folder/$i/sys" /sys; fi
  NET_NAMING_SCHEME=$(cat "$folder/$i/scheme") "$program" test-builtin net_id "/sys/$(cat "$folder/$i/syspath")" 2>/dev/null
  printf -- '--\\n'
  if [ -d "$folder/$i/sys" ]; then umount /sys; fi
  i=$((i + 1))
done
`;

/** The properties `ID_NET_NAME_*` and `ID_NET_LABEL_ONBOARD` that systemd computes. */
export function askNetId(questions: readonly NetIdQuestion[]): readonly Readonly<Record<string, string>>[] {
  const folder = mkdtempSync(join(tmpdir(), 'blm-net-id-'));
  try {
    mkdirSync(join(folder, 'proc'));
    for (const [i, question] of questions.entries()) write(join(folder, String(i)), question);
    const count = String(questions.length);
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', SCRIPT, 'sh', udevadm, folder, count],
      { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 },
    );
    if (status !== 0) throw new Error(`asking ${udevadm} failed: ${stderr}`);
    return stdout.split('--\n').slice(0, questions.length).map(properties);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function properties(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/^(ID_NET_(?:NAME|LABEL)_[A-Z]+)=(.*)$/gm)].map(([, k, v]) => [k, v]));
}

function write(folder: string, { tree, syspath, scheme }: NetIdQuestion): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'scheme'), scheme);
  writeFileSync(join(folder, 'syspath'), syspath);
  if (tree === undefined) return;
  const at = (path: string): string => join(folder, 'sys', path);
  for (const path of tree.dirs ?? []) mkdirSync(at(path), { recursive: true });
  for (const [path, value] of Object.entries(tree.files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), typeof value === 'string' ? `${value}\n` : Buffer.from(value.hex, 'hex'));
  }
  for (const [path, target] of Object.entries(tree.links)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    mkdirSync(at(target), { recursive: true });
    symlinkSync(relative(dirname(at(path)), at(target)), at(path));
  }
}
