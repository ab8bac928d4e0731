import { existsSync } from 'node:fs';
import { runProgram } from '../run-program.ts';

/** Names and addresses of a rack's network. Everything lives in network namespaces of its own. */
export interface RackNetwork {
  /** Namespace of the plane, the BMCs and the machines. */
  readonly namespace: string;
  /** Namespace of the site's DHCP server. */
  readonly dhcpNamespace: string;
  readonly bridge: string;
  /** First three bytes of the rack's network, a /24. */
  readonly prefix: string;
  /** Address of the plane on the bridge. */
  readonly planeAddress: string;
  /** Address of the plane for this host, on a link of its own. */
  readonly planeHostSideAddress: string;
  /** This host's end of that link. */
  readonly hostAddress: string;
  readonly hostLink: string;
}

/** The network of the rack called `id` (at most 8 characters). `slot` 0..63 keeps racks on one host apart. */
export function rackNetwork(id: string, slot = 0): RackNetwork {
  return {
    namespace: `blm-${id}`,
    dhcpNamespace: `blm-${id}-dhcp`,
    bridge: 'rack0',
    prefix: '10.77.0',
    planeAddress: '10.77.0.1',
    planeHostSideAddress: `10.78.${slot}.1`,
    hostAddress: `10.78.${slot}.2`,
    hostLink: `blm-${id}`,
  };
}

/**
 * The site announces an IPv6 router, as most do: iPXE's own boot waits 13 s for one before it goes on.
 * Addresses are given over DHCPv6 only, so that machines do not make their own.
 */
export const SITE_V6 = 'fd77::';

/** A command inside a namespace. */
export function inNamespace(namespace: string, command: readonly [string, ...string[]]): [string, ...string[]] {
  return ['ip', 'netns', 'exec', namespace, ...command];
}

/** Make the namespaces, the bridge and the links. What is left of an earlier run is removed first. */
export async function createRackNetwork(network: RackNetwork, bmcAddresses: readonly string[]): Promise<void> {
  await removeRackNetwork(network);
  const { namespace, dhcpNamespace, bridge, prefix, hostLink } = network;
  const inside = (...args: string[]): string[] => ['-n', namespace, ...args];
  const site = (...args: string[]): string[] => ['-n', dhcpNamespace, ...args];
  await ip('netns', 'add', namespace);
  await ip('netns', 'add', dhcpNamespace);
  await ip(...inside('link', 'set', 'lo', 'up'));
  await ip(...inside('link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0'));
  for (const address of [network.planeAddress, ...bmcAddresses]) {
    await ip(...inside('address', 'add', `${address}/24`, 'dev', bridge));
  }
  await ip(...inside('link', 'set', bridge, 'up'));
  await ip(...inside('link', 'add', 'site0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', dhcpNamespace));
  await ip(...inside('link', 'set', 'site0', 'master', bridge, 'up'));
  await ip(...site('address', 'add', `${prefix}.2/24`, 'dev', 'eth0'));
  await ip(...site('address', 'add', `${SITE_V6}2/64`, 'dev', 'eth0', 'nodad'));
  await ip(...site('link', 'set', 'eth0', 'up'));
  await ip('link', 'add', hostLink, 'type', 'veth', 'peer', 'name', 'host0', 'netns', namespace);
  await ip('address', 'add', `${network.hostAddress}/30`, 'dev', hostLink);
  await ip('link', 'set', hostLink, 'up');
  await ip(...inside('address', 'add', `${network.planeHostSideAddress}/30`, 'dev', 'host0'));
  await ip(...inside('link', 'set', 'host0', 'up'));
}

/** Add a port for a machine to the bridge. */
export async function addTap({ namespace, bridge }: RackNetwork, tap: string): Promise<void> {
  await ip('-n', namespace, 'tuntap', 'add', 'dev', tap, 'mode', 'tap');
  await ip('-n', namespace, 'link', 'set', tap, 'master', bridge, 'up');
}

/** Drop every datagram of a machine to a UDP port of the plane, as firewalls of sites do. */
export async function blockUdp({ namespace, bridge }: RackNetwork, mac: string, port: number): Promise<void> {
  const rules = `table inet blocked {
    chain input {
      type filter hook input priority -300;
      iifname "${bridge}" ether saddr ${mac} udp dport ${port} counter drop
    }
  }`;
  const [program, ...args] = inNamespace(namespace, ['nft', '-f', '-']);
  await runProgram(program, args, { input: Buffer.from(rules) });
}

/** True while processes of a rack with this network run, whoever started them. */
export async function isRackRunning({ namespace, dhcpNamespace }: RackNetwork): Promise<boolean> {
  for (const name of [namespace, dhcpNamespace]) {
    if (existsSync(`/run/netns/${name}`) && (await processesIn(name)).length > 0) return true;
  }
  return false;
}

/**
 * Remove the namespaces and with them every link, and end what still runs in them: these namespaces are the rack's alone.
 * Nothing happens when there are none.
 */
export async function removeRackNetwork({ namespace, dhcpNamespace, hostLink }: RackNetwork): Promise<void> {
  // By itself it would go later than the namespace, and its name be taken meanwhile.
  if (existsSync(`/sys/class/net/${hostLink}`)) await ip('link', 'delete', hostLink);
  for (const name of [dhcpNamespace, namespace]) {
    if (!existsSync(`/run/netns/${name}`)) continue;
    await endProcesses(name);
    await ip('netns', 'delete', name);
  }
}

async function endProcesses(namespace: string): Promise<void> {
  for (const pid of await processesIn(namespace)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It ended by itself meanwhile.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

async function processesIn(namespace: string): Promise<number[]> {
  const listed = (await runProgram('ip', ['netns', 'pids', namespace])).toString();
  return listed.split('\n').filter(Boolean).map(Number);
}

async function ip(...args: readonly string[]): Promise<void> {
  await runProgram('ip', args);
}
