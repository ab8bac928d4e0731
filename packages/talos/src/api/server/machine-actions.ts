import type { SequenceEvent, TalosNode } from '../talos-api.ts';

/** A file or directory of a machine. */
export interface MachineFile {
  /** Absolute. */
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes?: number;
}

/**
 * What a machine does when its Talos API is asked: the other end of TalosNode. What it throws with `grpcError` reaches the
 * caller with its status; anything else as UNKNOWN.
 */
export interface MachineActions extends Omit<TalosNode, 'hasEntries' | 'sequences'> {
  /** The entry itself, then what lies in it when it is a directory. @throws grpcError NOT_FOUND */
  list(path: string): Promise<readonly MachineFile[]>;
  /** Sequences as they happen, with those since the boot first when `past`. */
  sequences(signal: AbortSignal, options: { readonly past: boolean }): AsyncIterable<SequenceEvent>;
}
