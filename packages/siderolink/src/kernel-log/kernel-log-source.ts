/** Bytes of single kernel log records as /dev/kmsg gives them, oldest first; goes on until the signal aborts. */
export type KernelLogSource = (signal: AbortSignal) => AsyncIterable<Uint8Array>;
