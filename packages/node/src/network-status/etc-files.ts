import type { WakeSource } from '@bloomery/cosi';

/** Which of the files of this host that name others (hosts, resolv.conf) are as they should be. */
export interface EtcFiles extends WakeSource {
  /** A required file is written, or no longer. */
  set(file: string, isWritten: boolean): void;
  /** Whether every required one is. */
  isReady(): boolean;
}

/** Keep account of these files; none: always ready. */
export function createEtcFiles(required: readonly string[]): EtcFiles {
  const missing = new Set(required);
  const listeners = new Set<() => void>();
  return {
    set: (file, isWritten) => {
      if (!required.includes(file) || missing.has(file) !== isWritten) return;
      if (isWritten) missing.delete(file);
      else missing.add(file);
      for (const wake of listeners) wake();
    },
    isReady: () => missing.size === 0,
    listen: (wake) => {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
  };
}
