import type { SiderolinkNodeStatus } from './node-options.ts';

/** The status of a link, with those who want to know when it changes. */
export interface StatusBoard {
  status(): SiderolinkNodeStatus;
  /** Change parts of it; undefined takes a part away. */
  set(change: { readonly [K in keyof SiderolinkNodeStatus]?: SiderolinkNodeStatus[K] | undefined }): void;
  /** There is no interface (any more); host and error stay. */
  clear(): void;
  onChanged(listener: (status: SiderolinkNodeStatus) => void): () => void;
}

const NOWHERE: SiderolinkNodeStatus = { connected: false, host: '', linkName: '', grpcTunnel: false };

/** A board that says: not configured. */
export function createStatusBoard(): StatusBoard {
  let current = NOWHERE;
  const listeners = new Set<(status: SiderolinkNodeStatus) => void>();
  const show = (next: SiderolinkNodeStatus): void => {
    if (JSON.stringify(next) === JSON.stringify(current)) return;
    current = next;
    for (const listener of listeners) listener(next);
  };
  return {
    status: () => current,
    set: (change) => {
      const kept = Object.entries({ ...current, ...change }).filter(([, value]) => value !== undefined);
      show({ ...NOWHERE, ...Object.fromEntries(kept) });
    },
    clear: () => {
      const { host, lastError } = current;
      show({ ...NOWHERE, host, ...(lastError === undefined ? {} : { lastError }) });
    },
    onChanged: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
