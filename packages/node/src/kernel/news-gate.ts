/** News of the kernel on their way into the view: let through at once, or held back while the kernel is asked for what it has. */
export interface NewsGate {
  take(datagram: Uint8Array): void;
  /** From now on news wait; those that waited are forgotten. They have no gap yet. */
  hold(): void;
  /** Those that waited are let through, in order, and so are those that come. */
  release(): void;
  /** Some were lost. */
  noteGap(): void;
  /** Whether none were lost since they were last held back. */
  isWhole(): boolean;
}

/** News that wait; with more, those that come are lost. */
const WAITING_MAX = 20_000;

/** It holds back from the beginning. */
export function createNewsGate(letThrough: (datagram: Uint8Array) => void): NewsGate {
  let waiting: Uint8Array[] | undefined = [];
  let isWhole = true;
  return {
    take: (datagram) => {
      if (waiting === undefined) letThrough(datagram);
      else if (waiting.length < WAITING_MAX) waiting.push(datagram);
      else isWhole = false;
    },
    hold: () => {
      waiting = [];
      isWhole = true;
    },
    release: () => {
      const later = waiting ?? [];
      waiting = undefined;
      for (const datagram of later) letThrough(datagram);
    },
    noteGap: () => {
      isWhole = false;
    },
    isWhole: () => isWhole,
  };
}
