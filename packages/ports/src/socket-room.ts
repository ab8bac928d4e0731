import type { Socket } from 'node:net';

/** The connections of a server, at most so many: when there are more, the one that has waited longest goes, not the newcomer. */
export interface SocketRoom {
  /** All that are connected. */
  readonly sockets: ReadonlySet<Socket>;
  /** Take a connection; it waits from now on. */
  enter(socket: Socket): void;
  /** It waits anew: it has just said something. */
  renew(socket: Socket): void;
  /** It waits no longer and never has to go. */
  stay(socket: Socket): void;
}

/** Make one. Whoever opens connections and says nothing then keeps nobody out. */
export function createSocketRoom(max: number): SocketRoom {
  const sockets = new Set<Socket>();
  /** Longest first. */
  const waiting = new Set<Socket>();
  const leave = (socket: Socket): void => {
    sockets.delete(socket);
    waiting.delete(socket);
  };
  return {
    sockets,
    enter: (socket) => {
      sockets.add(socket);
      waiting.add(socket);
      socket.once('close', () => leave(socket));
      const [longest] = waiting;
      if (sockets.size <= max || longest === undefined) return;
      leave(longest);
      longest.destroy();
    },
    renew: (socket) => {
      if (waiting.delete(socket)) waiting.add(socket);
    },
    stay: (socket) => void waiting.delete(socket),
  };
}
