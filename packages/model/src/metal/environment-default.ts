import type { Environment } from './environment.ts';

const RELEASES = 'https://github.com/siderolabs/talos/releases/download';
const OURS = ['console=tty0', 'console=ttyS0', 'earlyprintk=ttyS0', 'initrd=initramfs.xz', 'talos.platform=metal'];
const ALWAYS = [
  'consoleblank=0',
  'init_on_alloc=1',
  'nvme_core.io_timeout=4294967295',
  'printk.devkmsg=on',
  'pti=on',
  'slab_nomerge=',
];
/** Arguments that Talos wants from a minor release on, or up to one (spec/metal.md §6). */
const BY_MINOR: readonly { readonly args: readonly string[]; readonly from?: number; readonly upTo?: number }[] = [
  { args: ['ima_appraise=fix', 'ima_hash=sha512', 'ima_template=ima-ng'], upTo: 10 },
  { args: ['selinux=1'], from: 10 },
  { args: ['module.sig_enforce=1'], from: 12 },
  { args: ['proc_mem.force_override=never'], from: 13 },
];

/**
 * The spec of an Environment for a Talos release (`v1.11.2`), amd64 unless said: asset URLs, and the kernel arguments that this
 * release wants, sorted. An empty or unknown release gets the newest arguments.
 */
export function environmentDefaultSpec(talosRelease: string, arch = 'amd64'): NonNullable<Environment['spec']> {
  const minor = minorOf(talosRelease);
  const args = BY_MINOR.filter(({ from, upTo }) => minor >= (from ?? 0) && minor <= (upTo ?? Infinity));
  return {
    kernel: {
      url: `${RELEASES}/${talosRelease}/vmlinuz-${arch}`,
      args: [...OURS, ...ALWAYS, ...args.flatMap((a) => a.args)].sort(),
    },
    initrd: { url: `${RELEASES}/${talosRelease}/initramfs-${arch}.xz` },
  };
}

function minorOf(release: string): number {
  const [, major, minor] = /^v?(\d{1,9})\.(\d{1,9})/.exec(release) ?? [];
  if (major === undefined || minor === undefined || Number(major) > 1) return Infinity;
  return Number(major) < 1 ? 0 : Number(minor);
}
