import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
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

const RANGES = 32_768;
const ATTEMPTS = 100;

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
  const name = `blmt${process.pid}n${++made}`;
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  const { cable, ownHost, host } = layCable(name);
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

/** A cable to a namespace. Its name stands for its addresses: where another test's has it, the next one is taken. */
function layCable(namespace: string): { readonly cable: string; readonly ownHost: string; readonly host: string } {
  for (let attempt = 1; ; attempt++) {
    const index = randomInt(RANGES);
    const cable = `blmt${index}`;
    const first = (index & 63) * 4;
    const network = `198.${18 + (index >> 14)}.${(index >> 6) & 255}`;
    try {
      execFileSync('ip', ['link', 'add', cable, 'type', 'veth', 'peer', 'name', 'cable', 'netns', namespace], {
        encoding: 'utf8',
      });
      return { cable, ownHost: `${network}.${first + 1}`, host: `${network}.${first + 2}` };
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes('File exists')) throw error;
    }
  }
}
