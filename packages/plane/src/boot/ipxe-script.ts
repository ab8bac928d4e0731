import type { EnvironmentAssets } from '@bloomery/model';

/**
 * The script that boots a kernel from us. Paths are relative to the server that the machine already talks to.
 *
 * @param path below `/env/`
 * @param assets decides whether there is an initrd: none for a kernel that carries its own
 */
export function renderBootScript(path: string, args: readonly string[], assets?: EnvironmentAssets): string {
  const kernelOnly = (assets?.kernel?.url ?? '') !== '' && (assets?.initrd?.url ?? '') === '';
  const line = args.join(' ').replaceAll(/[\r\n]+/g, ' ');
  const initrd = kernelOnly ? '' : `initrd /env/${path}/initramfs.xz\n`;
  return `#!ipxe\nkernel /env/${path}/vmlinuz  ${line}\n${initrd}boot\n`;
}

/** The script that sends a machine to its disk; undefined for the method that answers 404 instead. Unknown methods exit. */
export function renderDiskScript(method: string): string | undefined {
  switch (method) {
    case 'http-404':
      return undefined;
    case 'ipxe-sanboot':
      return '#!ipxe\nsanboot --no-describe --drive 0x80\n';
    case 'ipxe-exit-1':
      return '#!ipxe\nexit 1\n';
    default:
      return '#!ipxe\nexit\n';
  }
}
