import { createServer } from 'node:net';
import type { RandomBytes } from '@bloomery/ports';

/** Gives out addresses of 127.0.0.0/8 that nobody listens at. */
export interface LoopbackAddresses {
  /** An address where this port is free. */
  take(port: number): Promise<string>;
  /** This one is in use by somebody who had it before. */
  note(address: string): void;
  release(address: string): void;
}

const ATTEMPTS = 1_000;
const FIRST = 64;
const BLOCKS = 191 - FIRST;

/** Start anywhere: several simulations run on one host at the same time. */
export function createLoopbackAddresses(random: RandomBytes): LoopbackAddresses {
  const [a = 0, b = 0, c = 0] = random(3);
  let next = (a % BLOCKS) * 65_536 + b * 256 + c;
  const taken = new Set<string>();
  return {
    take: async (port) => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        next = (next + 1) % (BLOCKS * 65_536);
        const host = next & 0xff;
        const address = `127.${FIRST + (next >> 16)}.${(next >> 8) & 0xff}.${host}`;
        if (host === 0 || host === 255 || taken.has(address)) continue;
        taken.add(address);
        if (await isFree(address, port)) return address;
      }
      throw new Error(`no free address of 127.0.0.0/8 for port ${port}`);
    },
    note: (address) => taken.add(address),
    release: (address) => taken.delete(address),
  };
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
