import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { runCommand } from './run-command.ts';

/** Size of packets inside the link, at both ends. */
export const LINK_MTU = 1280;

/** How an interface of the link is set up. */
export interface LinkInterface {
  readonly name: string;
  /** CIDR. */
  readonly address: string;
}

/**
 * Give the interface its address and MTU and bring it up; it never forwards.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED
 */
export async function configureLinkInterface({ name, address }: LinkInterface): Promise<void> {
  await runCommand('setting the MTU', ['ip', 'link', 'set', 'dev', name, 'mtu', String(LINK_MTU)]);
  await runCommand('bringing the link up', ['ip', 'link', 'set', 'dev', name, 'up']);
  await runCommand('adding the address', ['ip', '-6', 'address', 'replace', address, 'dev', name, 'nodad']);
  for (const family of ['ipv4', 'ipv6']) {
    await writeFile(`/proc/sys/net/${family}/conf/${name}/forwarding`, '0').catch(() => {});
  }
}

/** Whether the interface is there, is up and has its address. */
export function isLinkConfigured({ name, address }: LinkInterface): boolean {
  return networkInterfaces()[name]?.some(({ cidr }) => cidr === address) ?? false;
}

/** Take all global addresses off the interface. @throws BloomeryError BLM_LINK_DEVICE_FAILED */
export async function dropLinkAddresses(name: string): Promise<void> {
  await runCommand('removing old addresses', ['ip', '-6', 'address', 'flush', 'dev', name, 'scope', 'global']);
}

/** What machines may reach through the server's end of the link. */
export interface LinkIsolation {
  readonly name: string;
  /** Without prefix length. */
  readonly serverAddress: string;
  readonly tcpPorts: readonly number[];
}

/**
 * Let machines reach nothing but these ports and ping of the server's own address: not each other, not the host's other
 * services; and nobody else but this host that address. Repeatable; the rules go with removeLinkIsolation.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED when nftables is not there.
 */
export async function isolateLink(isolation: LinkIsolation): Promise<void> {
  await runCommand('isolating the link', ['nft', '-f', '-'], isolationRules(isolation));
}

/** Whether the rules of isolateLink are there: who loads other rules often flushes all. Never fails. */
export async function isLinkIsolated(name: string): Promise<boolean> {
  const listed = runCommand('looking at the isolation', ['nft', '-t', 'list', 'table', 'inet', tableName(name)]);
  return listed.then(
    () => true,
    () => false,
  );
}

/** Take the rules of isolateLink away. Never fails. */
export async function removeLinkIsolation(name: string): Promise<void> {
  await runCommand('removing the isolation', ['nft', 'delete', 'table', 'inet', tableName(name)]).catch(() => '');
}

/** The nftables script of isolateLink. */
export function isolationRules({ name, serverAddress, tcpPorts }: LinkIsolation): string {
  const table = `inet ${tableName(name)}`;
  return [
    `add table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  chain input {',
    '    type filter hook input priority filter - 10; policy accept;',
    '    iifname "lo" accept',
    // Linux takes packets for an address of the host at any interface: neighbours could come to it without a link.
    `    iifname != "${name}" ip6 daddr ${serverAddress} drop`,
    `    iifname != "${name}" accept`,
    '    meta nfproto != ipv6 drop',
    '    ct state established,related accept',
    `    ip6 daddr != ${serverAddress} drop`,
    '    meta l4proto ipv6-icmp accept',
    `    tcp dport { ${tcpPorts.join(', ')} } accept`,
    '    drop',
    '  }',
    '  chain forward {',
    '    type filter hook forward priority filter - 10; policy accept;',
    `    iifname "${name}" drop`,
    `    oifname "${name}" drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}

function tableName(name: string): string {
  return `bloomery_${name}`;
}
