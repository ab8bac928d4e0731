import { execFileSync } from 'node:child_process';
import { openNetlinkSocket } from '@bloomery/node';
import { systemClock } from '@bloomery/ports';
import {
  decodeRtnlAddress,
  decodeRtnlLink,
  encodeAddressDump,
  encodeLinkDump,
  type NetlinkBytes,
} from '@bloomery/wire';
import netlink from 'netlink';
import { median } from '../bench-result.ts';

/** Run inside a namespace: makes the links, lists them in three ways, prints the medians as JSON. */

const PAIRS = 500;
const BLOCKS = 3;
const ROUNDS = 7;
const WARM_UP = 5;
const NETLINK_ROUTE = 0;

const numbers = Array.from({ length: PAIRS }, (_, i) => i);
const commands = [
  ...numbers.map((i) => `link add x${i} type veth peer name y${i}`),
  ...numbers.map((i) => `addr add 10.${i >> 8}.${i & 255}.1/24 dev x${i}`),
];
execFileSync('ip', ['-force', '-batch', '-'], { input: commands.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });

const requests = await openNetlinkSocket({ protocol: NETLINK_ROUTE, clock: systemClock, receiveBufferBytes: 1 << 20 });
const peer = netlink.createRtNetlink();
const ip = (what: string): number =>
  JSON.parse(execFileSync('ip', ['-j', what], { maxBuffer: 64 << 20 }).toString()).length;

async function list(
  request: Uint8Array,
  decode: (bytes: NetlinkBytes, from: number, to: number) => unknown,
): Promise<number> {
  const all: unknown[] = [];
  await requests.request('listing', request, (bytes, { from, to }) => all.push(decode(bytes, from, to)));
  return all.length;
}

const ways: Readonly<Record<string, () => Promise<number> | number>> = {
  oursLinks: () => list(encodeLinkDump(), decodeRtnlLink),
  ipLinks: () => ip('link'),
  peerLinks: async () => (await peer.getLinks()).length,
  oursAddresses: () => list(encodeAddressDump(), decodeRtnlAddress),
  ipAddresses: () => ip('addr'),
  peerAddresses: async () => (await peer.getAddresses()).length,
};
const times: Record<string, number[]> = {};
const counts: Record<string, number> = {};
// In blocks, so that nobody pays for what another has left behind; the first of each block do not count.
for (let block = 0; block < BLOCKS; block++)
  for (const [name, way] of Object.entries(ways)) {
    globalThis.gc?.();
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const startedMs = performance.now();
      counts[name] = await way();
      const tookMs = performance.now() - startedMs;
      times[name] ??= [];
      if (round >= 0) times[name].push(tookMs);
    }
  }
requests[Symbol.dispose]();
peer.socket.close();
const medians = Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
process.stdout.write(`${JSON.stringify({ counts, medians })}\n`);
