import { apiError } from '@bloomery/kube';
import type { Clock } from '@bloomery/ports';
import { MASTERS, type User } from '../auth/user.ts';

/** How many requests the API works on at once. */
export interface RequestLimits {
  /** Gets and lists at work. */
  readonly readOnly: number;
  /** Writes at work. */
  readonly mutating: number;
  /** Requests of each of the two kinds that may wait for their turn. */
  readonly waiting: number;
  /** A request that has waited this long is refused. */
  readonly waitMs: number;
  /** Open watches of all users. */
  readonly watches: number;
  /** Open watches of one user; administrators have only the bound of all. */
  readonly watchesPerUser: number;
}

/** The bounds that hold unless something else is said; in flight as kube-apiserver has them. */
export const REQUEST_LIMITS: RequestLimits = {
  readOnly: 400,
  mutating: 200,
  waiting: 400,
  waitMs: 5000,
  watches: 20_000,
  watchesPerUser: 5000,
};

/** Requests by what they do, for limits and metrics. */
export type RequestKind = 'readOnly' | 'mutating';

/** Present use, for metrics. */
export interface RequestLoad {
  readonly inFlight: Readonly<Record<RequestKind, number>>;
  readonly waiting: Readonly<Record<RequestKind, number>>;
  readonly watches: number;
}

/** Admits requests while there is room. */
export interface RequestGate {
  /** Wait for a place; the result gives it back. @throws 429 with Retry-After. */
  enter(kind: RequestKind, user: User): (() => void) | Promise<() => void>;
  /** @throws 429 when there are too many watches already. */
  checkWatches(user: User): void;
  watchStarted(user: User): void;
  watchEnded(user: User): void;
  readonly load: RequestLoad;
}

/** Of the places of a kind one user may have at most this part, and of the waiting places too. */
const SHARE_OF_ONE = 0.75;

/**
 * Make the gate. Members of system:masters always come in and are counted all the same. Others wait in a queue for each user,
 * and the queues are served in turn, so that a user with a thousand requests does not hold up one with a single one.
 */
export function createRequestGate(clock: Clock, changed: Partial<RequestLimits> = {}): RequestGate {
  const limits = { ...REQUEST_LIMITS, ...changed };
  const lanes = {
    readOnly: createLane(clock, limits.readOnly, limits),
    mutating: createLane(clock, limits.mutating, limits),
  };
  const watches = new Map<string, number>();
  let open = 0;
  return {
    enter: (kind, user) => lanes[kind].enter(user),
    checkWatches(user) {
      const own = watches.get(user.name) ?? 0;
      if (open >= limits.watches || (own >= limits.watchesPerUser && !isMaster(user))) throw tooManyRequests();
    },
    watchStarted(user) {
      open += 1;
      watches.set(user.name, (watches.get(user.name) ?? 0) + 1);
    },
    watchEnded(user) {
      open -= 1;
      const left = (watches.get(user.name) ?? 1) - 1;
      if (left === 0) watches.delete(user.name);
      else watches.set(user.name, left);
    },
    get load() {
      const { readOnly, mutating } = lanes;
      return {
        inFlight: { readOnly: readOnly.atWork(), mutating: mutating.atWork() },
        waiting: { readOnly: readOnly.waiting(), mutating: mutating.waiting() },
        watches: open,
      };
    },
  };
}

interface Waiter {
  readonly admit: () => void;
}

function createLane(clock: Clock, places: number, limits: RequestLimits) {
  const atWork = new Map<string, number>();
  const queues = new Map<string, Waiter[]>();
  const ownPlaces = Math.max(1, Math.floor(places * SHARE_OF_ONE));
  const ownQueue = Math.max(1, Math.floor(limits.waiting * SHARE_OF_ONE));
  let taken = 0;
  let masters = 0;
  let waiting = 0;

  const hasRoom = (name: string): boolean => taken < places && (atWork.get(name) ?? 0) < ownPlaces;
  const take = (name: string): (() => void) => {
    taken += 1;
    atWork.set(name, (atWork.get(name) ?? 0) + 1);
    return () => {
      taken -= 1;
      const left = (atWork.get(name) ?? 1) - 1;
      if (left === 0) atWork.delete(name);
      else atWork.set(name, left);
      admitNext();
    };
  };
  const leaveMaster = (): void => {
    masters -= 1;
  };

  /** The user whose turn it is goes to the end of the line of users. */
  function admitNext(): void {
    for (const [name, queue] of queues) {
      if (!hasRoom(name)) continue;
      const [next] = queue.splice(0, 1);
      queues.delete(name);
      if (queue.length > 0) queues.set(name, queue);
      next?.admit();
      return;
    }
  }

  function wait(name: string): Promise<() => void> {
    const queue = queues.get(name) ?? [];
    if (waiting >= limits.waiting || queue.length >= ownQueue) throw tooManyRequests();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit() {
          waiting -= 1;
          cancel();
          resolve(take(name));
        },
      };
      const cancel = clock.after(limits.waitMs, () => {
        waiting -= 1;
        const left = (queues.get(name) ?? []).filter((other) => other !== waiter);
        if (left.length === 0) queues.delete(name);
        else queues.set(name, left);
        reject(tooManyRequests());
      });
      waiting += 1;
      queue.push(waiter);
      queues.set(name, queue);
    });
  }

  return {
    enter(user: User): (() => void) | Promise<() => void> {
      if (isMaster(user)) {
        masters += 1;
        return leaveMaster;
      }
      return hasRoom(user.name) ? take(user.name) : wait(user.name);
    },
    atWork: () => taken + masters,
    waiting: () => waiting,
  };
}

function isMaster(user: User): boolean {
  return user.groups.includes(MASTERS);
}

function tooManyRequests() {
  const message = 'Too many requests, please try again later.';
  return apiError({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds: 1 } });
}
