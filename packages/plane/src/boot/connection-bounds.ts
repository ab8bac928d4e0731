import type { Socket } from 'node:net';

/** How many connections the machine port holds at the same time. */
export interface ConnectionLimits {
  /** That carry no tunnel; 4096 unless given. */
  readonly connections: number;
  /** The same, of one address; 1024 unless given, as many machines may stand behind one router. */
  readonly connectionsPerAddress: number;
  /**
   * That carry the tunnel of a machine we know, wherever it comes from: one for each machine, for as long as it runs, and all
   * of them from one address behind a load balancer; 16384 unless given. One above it counts as any other.
   */
  readonly tunnels: number;
}

/** Who is let in at the machine port. */
export interface ConnectionBounds {
  /** False: there are too many, and the socket is destroyed. */
  admit(socket: Socket): boolean;
  /**
   * The connection of this peer carries a tunnel, until the returned function is called: it takes no place of those who
   * are not known yet.
   */
  carry(peer: Peer): () => void;
  closeAll(): void;
}

/** A socket, or one that is inside it. */
export type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Tunnels that it carries. */
  tunnels: number;
  isExempt: boolean;
}

/** Count connections. All reads and changes take the same time however many there are. */
export function createConnectionBounds(limits: ConnectionLimits): ConnectionBounds {
  const all = new Map<string, Connection>();
  /** Connections that count, by address. */
  const counted = new Map<string, number>();
  let exempt = 0;
  const count = (address: string, by: 1 | -1): void => {
    const next = (counted.get(address) ?? 0) + by;
    if (next === 0) counted.delete(address);
    else counted.set(address, next);
  };
  const setExempt = (connection: Connection, isExempt: boolean): void => {
    if (connection.isExempt === isExempt || (isExempt && exempt >= limits.tunnels)) return;
    connection.isExempt = isExempt;
    exempt += isExempt ? 1 : -1;
    count(connection.address, isExempt ? -1 : 1);
  };
  return {
    admit: (socket) => {
      const address = socket.remoteAddress ?? '';
      const isGone = socket.remotePort === undefined;
      const isFull = all.size - exempt >= limits.connections;
      if (isGone || isFull || (counted.get(address) ?? 0) >= limits.connectionsPerAddress) {
        socket.destroy();
        return false;
      }
      const key = keyOf(socket);
      const connection = { socket, address, tunnels: 0, isExempt: false };
      all.set(key, connection);
      count(address, 1);
      socket.once('close', () => {
        setExempt(connection, false);
        count(address, -1);
        if (all.get(key) === connection) all.delete(key);
      });
      return true;
    },
    carry: (peer) => {
      const connection = all.get(keyOf(peer));
      if (connection === undefined) return () => {};
      connection.tunnels += 1;
      setExempt(connection, true);
      return () => {
        connection.tunnels -= 1;
        if (connection.tunnels === 0) setExempt(connection, false);
      };
    },
    closeAll: () => {
      for (const { socket } of all.values()) socket.destroy();
    },
  };
}

function keyOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
