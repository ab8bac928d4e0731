/** How much may be under way at the same time. */
export interface AddressLimits {
  /** In all. */
  readonly total: number;
  /** Of one address. */
  readonly perAddress: number;
}

/** Takes a place for an address. The returned function gives it up again, once; undefined: there is none. */
export type TakePlace = (address: string) => (() => void) | undefined;

/** Count what is under way. Addresses without anything take no memory. */
export function createAddressLimit({ total, perAddress }: AddressLimits): TakePlace {
  const byAddress = new Map<string, number>();
  let all = 0;
  return (address) => {
    const own = byAddress.get(address) ?? 0;
    if (all >= total || own >= perAddress) return undefined;
    all += 1;
    byAddress.set(address, own + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      all -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    };
  };
}
