import { execFileSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import { endNamespace } from './end-namespace.ts';

/** A network namespace with a loopback and a cable to ours: what runs in it may have fixed ports and make interfaces. */
export interface TestNamespace {
  /** Its end of the cable. */
  readonly host: string;
  /** Our end. */
  readonly ownHost: string;
  /** What to put before a command line that shall run in it. */
  readonly within: readonly string[];
  /** Run a program in it and return what it printed. Throws when it fails. */
  run(program: string, ...args: readonly string[]): string;
  /** Kill what runs in it and remove it. */
  end(): void;
}

let made = 0;

/** Why there is no WireGuard for a plane in a namespace here, or false. */
export function whyNoLinkNamespace(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    accessSync('/dev/net/tun');
    for (const program of ['wireguard-go', 'nft', 'ip']) execFileSync('which', [program], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs /dev/net/tun, wireguard-go, nft and ip';
  }
}

/** Make one. Its addresses are of the range for tests of network devices (RFC 2544), four for each. */
export function makeTestNamespace(): TestNamespace {
  const index = (process.pid * 4 + made++) % 32_768;
  const network = `198.${18 + (index >> 14)}.${(index >> 6) & 255}`;
  const first = (index & 63) * 4;
  const name = `blmt${process.pid}n${made}`;
  const cable = `blmt${index}`;
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  const [ownHost, host] = [`${network}.${first + 1}`, `${network}.${first + 2}`];
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'cable', 'netns', name);
  ip('address', 'add', `${ownHost}/30`, 'dev', cable);
  ip('link', 'set', cable, 'up');
  ip('-n', name, 'address', 'add', `${host}/30`, 'dev', 'cable');
  ip('-n', name, 'link', 'set', 'cable', 'up');
  const within = ['ip', 'netns', 'exec', name];
  return {
    host,
    ownHost,
    within,
    run: (program, ...args) => execFileSync('ip', [...within.slice(1), program, ...args], { encoding: 'utf8' }),
    end: () => endNamespace(name),
  };
}
