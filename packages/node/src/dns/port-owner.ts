import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Listen } from '@bloomery/ports';
import { formatIpv4, formatIpv6 } from '@bloomery/wire';

const LISTENING = '0A';
const ANY = new Set(['0.0.0.0', '::']);

/**
 * Which process has a port, as `systemd-resolved (pid 123)`; undefined when that cannot be seen (other users' processes need root).
 *
 * @param proc where the proc file system is: `/proc`.
 */
export async function portOwner(proc: string, transport: 'udp' | 'tcp', listen: Listen): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const table of [transport, `${transport}6`]) {
    const text = await readFile(join(proc, 'net', table), 'latin1').catch(() => '');
    for (const inode of inodesAt(text, transport, listen)) inodes.add(`socket:[${inode}]`);
  }
  if (inodes.size === 0) return undefined;
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid) || !(await holdsOne(join(proc, pid, 'fd'), inodes))) continue;
    return `${await processName(join(proc, pid))} (pid ${pid})`;
  }
  return undefined;
}

/** Node calls every program of it MainThread: then the files that it runs say more. */
async function processName(dir: string): Promise<string> {
  const name = (await readFile(join(dir, 'comm'), 'latin1').catch(() => '')).trim();
  if (name !== 'MainThread') return name || 'a process';
  const words = (await readFile(join(dir, 'cmdline'), 'utf8').catch(() => '')).split('\0');
  const program = words.slice(1).find((word) => word !== '' && !word.startsWith('-')) ?? words[0] ?? name;
  return basename(program, extname(program));
}

/** Inodes of the sockets in a table of /proc/net that have this address, or its port on all addresses. */
export function inodesAt(table: string, transport: 'udp' | 'tcp', { host, port }: Listen): readonly string[] {
  const inodes: string[] = [];
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [local = '', , state = '', inode = ''] = [fields[1], fields[2], fields[3], fields[9]];
    if (transport === 'tcp' && state !== LISTENING) continue;
    const [hex = '', hexPort = ''] = local.split(':');
    if (Number.parseInt(hexPort, 16) !== port) continue;
    const address = addressOf(hex);
    if (address === host || ANY.has(address) || ANY.has(host) || address === `::ffff:${host}`) inodes.push(inode);
  }
  return inodes;
}

/** The kernel prints words of 32 bits as numbers of its own byte order, which is little-endian wherever we run. */
function addressOf(hex: string): string {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) bytes.subarray(at, at + 4).reverse();
  if (bytes.byteLength === 4) return formatIpv4(bytes, 0);
  return bytes.byteLength === 16 ? formatIpv6(bytes) : '';
}

async function holdsOne(fdDir: string, sockets: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await readdir(fdDir).catch(() => [])) {
    const target = await readlink(join(fdDir, fd)).catch(() => '');
    if (sockets.has(target)) return true;
  }
  return false;
}
