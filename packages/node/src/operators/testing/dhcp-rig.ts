import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '@bloomery/ports';
import type { OperatorOutputs } from '../operator.ts';

/** One line of `dhcp-host.ts`. */
export interface HostLine {
  readonly event?: string;
  readonly outputs?: OperatorOutputs;
  readonly problem?: string;
  readonly address?: string;
  readonly reason?: string;
}

/** A host with a DHCP client, beside a server on the same cable. */
export interface DhcpRig {
  /** Start dnsmasq in the server's namespace; it knows nothing but these options. */
  startDnsmasq(...options: readonly string[]): Promise<void>;
  stopDnsmasq(): Promise<void>;
  /** Start another server there: a script of Node. */
  startServer(script: string, ...args: readonly string[]): void;
  /** Start the client, which remembers its leases. @param speed how many times faster it lives from now on */
  startHost(version: 4 | 6, speed: number, hostname?: string): void;
  /** End the client with SIGKILL, once it has written down its lease: what it has given the link stays there. */
  killHost(): Promise<void>;
  /** The first line from the `from`-th on that fits; waits for it. */
  line(what: string, fits: (line: HostLine) => boolean, from?: number): Promise<HostLine>;
  /** Lines so far. */
  readonly lines: readonly HostLine[];
  /** End the client with SIGTERM and wait for its last line. */
  stopHost(): Promise<void>;
  /** Addresses of the host's link as `ip -j` tells them. */
  addresses(): readonly string[];
  /** Run a program in the host's namespace, or the server's; what it printed. Throws when it fails. */
  runInHost(program: string, ...args: readonly string[]): string;
  runInServer(program: string, ...args: readonly string[]): string;
  /** The host's namespace and the server's. */
  readonly host: string;
  readonly server: string;
  readonly mac: string;
  dnsmasqLog(): string;
  leases(): string;
  end(): Promise<void>;
}

let made = 0;

/** Why there are no real servers here, or false. */
export function whyNoDhcpRig(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  for (const program of ['ip', 'dnsmasq']) {
    if (spawnSync('which', [program]).status !== 0) return `needs ${program}`;
  }
  const name = `blmd${process.pid}probe`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'this kernel allows no network namespaces';
  spawnSync('ip', ['netns', 'del', name]);
  return false;
}

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

/** Two namespaces with a cable between them. */
interface Cable {
  readonly host: string;
  readonly server: string;
  /** Of the host's link. */
  readonly mac: string;
}

function layCable(serverAddresses: readonly string[]): Cable {
  made += 1;
  const [host, server] = [`blmd${process.pid}h${made}`, `blmd${process.pid}s${made}`];
  for (const name of [host, server]) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  ip('-n', server, 'link', 'add', 'srv', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host);
  for (const address of serverAddresses) {
    ip('-n', server, 'address', 'add', address, 'dev', 'srv', ...(address.includes('.') ? [] : ['nodad']));
  }
  ip('-n', server, 'link', 'set', 'srv', 'up');
  ip('-n', host, 'link', 'set', 'eth0', 'up');
  const [{ address: mac }] = JSON.parse(ip('-n', host, '-j', 'link', 'show', 'eth0'));
  return { host, server, mac };
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

/** Empty while there is no such file. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Make one. The host's link is `eth0`, up and without addresses; the server's is `srv`, with the given ones. */
export function makeDhcpRig(...serverAddresses: readonly string[]): DhcpRig {
  const cable = layCable(serverAddresses);
  const { host, server } = cable;
  const folder = mkdtempSync(join(tmpdir(), 'blm-dhcp-'));
  const [logFile, leaseFile] = [join(folder, 'log'), join(folder, 'leases')];
  const hostLeaseFile = join(folder, 'host-leases.json');
  const children = new Set<ChildProcess>();
  const lines: HostLine[] = [];
  const errors: string[] = [];
  const start = (namespace: string, program: string, args: readonly string[]): ChildProcess => {
    const child = spawn('ip', ['netns', 'exec', namespace, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child.on('exit', () => children.delete(child)));
    child.stderr?.on('data', (chunk) => errors.push(String(chunk)));
    return child;
  };
  let dnsmasq: ChildProcess | undefined;
  let client: ChildProcess | undefined;
  const script = (name: string): string => join(import.meta.dirname, name);
  return {
    startDnsmasq: async (...options) => {
      const before = read(logFile).length;
      dnsmasq = start(server, 'dnsmasq', [
        ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--port=0', '--no-ping'],
        ...['--user=root', '--group=root', '--pid-file=', '--interface=srv', '--bind-interfaces', '--log-dhcp'],
        ...[`--log-facility=${logFile}`, `--dhcp-leasefile=${leaseFile}`, ...options],
      ]);
      await until('dnsmasq serves', () => /sockets bound|DHCP relay from/.test(read(logFile).slice(before)), {
        explain: () => errors.join(''),
      });
    },
    stopDnsmasq: () => ended(dnsmasq, 'SIGTERM'),
    startServer: (name, ...args) => void start(server, process.execPath, [script(name), ...args]),
    startHost: (version, speed, hostname = '') => {
      const args = [`${version}`, 'eth0', `${speed}`, hostname, hostLeaseFile];
      client = start(host, process.execPath, [script('dhcp-host.ts'), ...args]);
      if (client.stdout !== null) createInterface(client.stdout).on('line', (line) => lines.push(JSON.parse(line)));
    },
    line: (what, fits, from = 0) =>
      until(what, () => lines.slice(from).find(fits), {
        explain: () => `${lines.map((line) => JSON.stringify(line).slice(0, 300)).join('\n')}\n${errors.join('')}`,
      }),
    lines,
    stopHost: () => ended(client, 'SIGTERM'),
    killHost: async () => {
      await until('the lease is on disk', () => read(hostLeaseFile).includes('message'));
      await ended(client, 'SIGKILL');
    },
    addresses: () => {
      const [{ addr_info: found = [] } = {}] = JSON.parse(ip('-n', host, '-j', 'address', 'show', 'eth0'));
      return found.map((one: { local: string; prefixlen: number }) => `${one.local}/${one.prefixlen}`);
    },
    runInHost: (program, ...args) => ip('netns', 'exec', host, program, ...args),
    runInServer: (program, ...args) => ip('netns', 'exec', server, program, ...args),
    ...cable,
    dnsmasqLog: () => read(logFile),
    leases: () => read(leaseFile),
    end: async () => {
      for (const child of [...children]) await ended(child, 'SIGKILL');
      for (const name of [host, server]) ip('netns', 'del', name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
