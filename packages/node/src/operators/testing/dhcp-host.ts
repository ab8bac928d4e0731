/**
 * A host of a test, as a process of its own in a network namespace: runs one DHCP client on a link and gives the link what it obtains
 * with `ip`. Prints one JSON line at each change. Arguments: `4` or `6`, link, how many times faster than real time to live, host
 * name ('' for none), file of leases ('' for none). SIGTERM ends it.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock, Logger } from '@bloomery/ports';
import { Dhcp4Client } from '../dhcp4/dhcp4-client.ts';
import { socketDhcp4Transport } from '../dhcp4/socket-transport.ts';
import { Dhcp6Client } from '../dhcp6/dhcp6-client.ts';
import { socketDhcp6Transport } from '../dhcp6/socket-transport.ts';
import { NO_MEMORY, openLeaseStore } from '../lease-store.ts';
import type { Operator } from '../operator.ts';

const [version = '4', name = '', speed = '1', hostname = '', leasesFile = ''] = process.argv.slice(2);
const read = (file: string): string => readFileSync(`/sys/class/net/${name}/${file}`, 'utf8').trim();
const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const startMs = Date.now();
const fastClock: Clock = {
  nowMs: () => startMs + (Date.now() - startMs) * Number(speed),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs / Number(speed))),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs / Number(speed));
    return () => clearTimeout(timer);
  },
};

const logTo = (fields: object): Logger => ({
  debug: (event, more) => print({ event, ...fields, ...more }),
  info: (event, more) => print({ event, ...fields, ...more }),
  warn: (event, more) => print({ event, ...fields, ...more }),
  error: (event, more) => print({ event, ...fields, ...more }),
  with: (more) => logTo({ ...fields, ...more }),
});

/** Addresses of the link that are not link-local: what an earlier run has left is there at the start. */
const onLink = (): readonly string[] => {
  const [{ addr_info: found = [] } = {}] = JSON.parse(ip('-j', 'address', 'show', 'dev', name, 'scope', 'global')) as {
    readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
  }[];
  // Addresses of other scopes leave an empty place.
  return found.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`]));
};

let present: readonly string[] = onLink();
// Once it is made.
const changed = (): void => queueMicrotask(follow);
const follow = (): void => {
  const { outputs, problem } = operator;
  const wanted = outputs.addresses.map(({ address }) => address);
  for (const address of present) if (!wanted.includes(address)) ip('address', 'del', address, 'dev', name);
  for (const address of wanted) if (!present.includes(address)) ip('address', 'add', address, 'dev', name);
  present = wanted;
  print({ outputs, problem });
};

const linkLocal = (): string | undefined => {
  const links = JSON.parse(ip('-j', '-6', 'address', 'show', 'dev', name, 'scope', 'link')) as {
    readonly addr_info?: readonly { readonly local?: string; readonly tentative?: boolean }[];
  }[];
  const addresses = links.flatMap(({ addr_info: found = [] }) => found);
  return addresses.find(({ local, tentative }) => local !== undefined && tentative !== true)?.local;
};

const log = logTo({});
const common = {
  clock: fastClock,
  log,
  random: (length: number) => randomBytes(length),
  changed,
  memory: leasesFile === '' ? NO_MEMORY : openLeaseStore(leasesFile, log).memoryOf(version, name),
  isOnLink: (address: string) => onLink().includes(address),
};
const hardwareAddr = read('address');
const mac = Buffer.from(hardwareAddr.replaceAll(':', ''), 'hex');
const operator: Operator =
  version === '6'
    ? new Dhcp6Client(
        { linkName: name, clientId: Uint8Array.of(0, 3, 0, 1, ...mac), iaid: 7, skipHostnameRequest: false },
        {
          ...common,
          transport: socketDhcp6Transport(),
          linkLocal,
          onAddresses: (listener) => {
            const timer = setInterval(listener, 50);
            return () => clearInterval(timer);
          },
        },
      )
    : new Dhcp4Client(
        {
          link: {
            name,
            index: Number(read('ifindex')),
            type: Number(read('type')),
            hardwareAddr,
            broadcastAddr: read('broadcast'),
          },
          routeMetric: 1024,
          clientId: Uint8Array.of(1, ...mac),
          skipHostnameRequest: false,
        },
        { ...common, transport: socketDhcp4Transport(common.log) },
      );
if (hostname !== '') operator.hostnameIs({ hostname, domainname: '' });
process.on('SIGTERM', () => {
  void operator.stop().then(() => print({ event: 'stopped' }));
});
