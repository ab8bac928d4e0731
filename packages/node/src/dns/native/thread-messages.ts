import type { MessagePort } from 'node:worker_threads';
import type { StoredAnswer } from '../stored-answer.ts';

/** What the thread is started with. */
export interface ThreadStart {
  readonly port: MessagePort;
  readonly cacheSeed: number;
  /** Numbers by COUNT, written by the thread. */
  readonly counts: Float64Array;
}

/** Places of the numbers. */
export const COUNT = { HITS: 0, SHED: 1 } as const;

/** What the thread is told; several at once, then it is woken up. */
export type ToThread =
  | {
      readonly do: 'bind';
      readonly socket: number;
      readonly transport: 'udp' | 'tcp';
      /** A sockaddr of Linux. */
      readonly address: Uint8Array;
      readonly hopLimit: number;
    }
  | { readonly do: 'hops'; readonly fd: number; readonly family: number; readonly hopLimit: number }
  | { readonly do: 'close'; readonly socket: number }
  | { readonly do: 'send'; readonly frames: Uint8Array }
  | { readonly do: 'remember'; readonly answer: StoredAnswer }
  | { readonly do: 'forget'; readonly name: Uint8Array }
  | { readonly do: 'clear' }
  | { readonly do: 'stop' };

/** What the thread says. */
export type FromThread =
  | { readonly did: 'start'; readonly wakeFd: number }
  | { readonly did: 'bind'; readonly socket: number; readonly fd: number; readonly port: number }
  | { readonly did: 'fail'; readonly socket: number; readonly errno: number }
  | { readonly did: 'close'; readonly socket: number }
  /** Questions that it cannot answer; each gets a frame back. */
  | { readonly did: 'ask'; readonly frames: Uint8Array };
