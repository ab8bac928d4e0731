import type { HoldBytes } from '@bloomery/wire';

/** How many bytes may be kept at the same time. */
export interface HeldLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** Counts what is kept for one address. */
export type HoldFor = (address: string) => HoldBytes;

/** Count the bytes that wait for the rest of their messages. Addresses for which nothing is kept take no memory. */
export function createHeldLimit({ total, perAddress }: HeldLimits): HoldFor {
  const byAddress = new Map<string, number>();
  let all = 0;
  return (address) => (byBytes) => {
    const own = (byAddress.get(address) ?? 0) + byBytes;
    if (byBytes > 0 && (all + byBytes > total || own > perAddress)) return false;
    all += byBytes;
    if (own > 0) byAddress.set(address, own);
    else byAddress.delete(address);
    return true;
  };
}
