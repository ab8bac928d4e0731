/** How many provisions may be under way. Above that they are refused; machines come again by themselves. */
export interface ProvisionLimits {
  /** In all; 4096 unless given. */
  readonly total: number;
  /** Of one address: many machines may stand behind one router; 2048 unless given. */
  readonly perAddress: number;
}

/** The default bounds. */
export const PROVISION_LIMITS: ProvisionLimits = { total: 4_096, perAddress: 2_048 };

/** Counts what is under way. The returned function gives up one place; undefined: there is none. */
export type Enter = (address: string) => (() => void) | undefined;

/** Make a counter. Addresses without calls take no memory. */
export function createProvisionLimit({ total, perAddress }: ProvisionLimits): Enter {
  const byAddress = new Map<string, number>();
  let all = 0;
  return (address) => {
    const own = byAddress.get(address) ?? 0;
    if (all >= total || own >= perAddress) return undefined;
    all += 1;
    byAddress.set(address, own + 1);
    return () => {
      all -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    };
  };
}
