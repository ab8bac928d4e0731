const CONTROL_PLANES_MAX = 5000;

/** Remembers since when members of etcd are seen that no machine is. After a restart it begins anew, which only delays. */
export interface StrayMemory {
  /** Tell which there are now; the answer says since when. */
  note(id: string, strays: readonly bigint[], nowMs: number): ReadonlyMap<bigint, number>;
}

/** The 5,000 control planes that were noted last. */
export function createStrayMemory(): StrayMemory {
  const seen = new Map<string, ReadonlyMap<bigint, number>>();
  return {
    note(id, strays, nowMs) {
      const before = seen.get(id);
      const now = new Map(strays.map((member) => [member, before?.get(member) ?? nowMs]));
      seen.delete(id);
      if (now.size > 0) seen.set(id, now);
      for (const oldest of seen.keys()) if (seen.size > CONTROL_PLANES_MAX) seen.delete(oldest);
      return now;
    },
  };
}
