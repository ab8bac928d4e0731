import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { createGrpcClient, type GrpcClient } from '@bloomery/grpc';
import { BloomeryError, type BoundAddress, type Clock, errorText, hostPort } from '@bloomery/ports';
import { pkcs8Pem, readCertificate, readPrivateKey } from '../certificates/index.ts';
import type { TalosCredentials } from './talos-api.ts';

/** Bounds of the connections to machines. */
export interface ConnectionLimits {
  /** At the same time; 256 unless given. A call beyond them closes one that is idle, or fails when there is none. */
  readonly connections: number;
  /** Without calls; 10 s unless given: machines at rest are asked more seldom, and each connection costs 200 KB. */
  readonly idleMs: number;
}

/** Connections to machines, one for each address and client certificate. */
export interface Connections {
  /**
   * A connection to call on until `release`.
   *
   * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED; BLM_TALOS_API_UNREACHABLE when too many are in use.
   */
  take(address: BoundAddress, credentials: TalosCredentials): { readonly client: GrpcClient; release(): void };
  readonly size: number;
  close(): void;
}

interface Connection {
  readonly client: GrpcClient;
  calls: number;
  cancelIdle: () => void;
}

const LIMITS: ConnectionLimits = { connections: 256, idleMs: 10_000 };
/** Go's gRPC servers hang up on clients that ping more often than each five minutes. */
const KEEP_ALIVE_MS = 310_000;

/** Keep connections to machines for a while. */
export function createConnections(clock: Clock, limits: Partial<ConnectionLimits> = {}): Connections {
  const { connections, idleMs } = { ...LIMITS, ...limits };
  /** The one that was used longest ago comes first. */
  const open = new Map<string, Connection>();
  const drop = (key: string, connection: Connection): void => {
    connection.cancelIdle();
    connection.client.close();
    if (open.get(key) === connection) open.delete(key);
  };
  const makeRoom = (address: BoundAddress): void => {
    if (open.size < connections) return;
    const idle = [...open].find(([, { calls }]) => calls === 0);
    if (idle === undefined) {
      const message = `connecting to ${hostPort(address)}: ${open.size} connections to machines are in use`;
      throw new BloomeryError('BLM_TALOS_API_UNREACHABLE', message, { retryable: true });
    }
    drop(...idle);
  };
  const contexts = createContexts();
  const connect = (address: BoundAddress, credentials: TalosCredentials): Connection => {
    makeRoom(address);
    const tls = { secureContext: contexts(credentials) };
    const client = createGrpcClient({ address, clock, tls, keepAliveMs: KEEP_ALIVE_MS });
    return { client, calls: 0, cancelIdle: () => {} };
  };
  return {
    take: (address, credentials) => {
      const key = keyOf(address, credentials);
      const connection = open.get(key) ?? connect(address, credentials);
      open.delete(key);
      open.set(key, connection);
      connection.calls += 1;
      connection.cancelIdle();
      return {
        client: connection.client,
        release: () => {
          connection.calls -= 1;
          if (connection.calls > 0 || open.get(key) !== connection) return;
          connection.cancelIdle = clock.after(idleMs, () => drop(key, connection));
        },
      };
    },
    get size() {
      return open.size;
    },
    close: () => {
      for (const [key, connection] of open) drop(key, connection);
    },
  };
}

const keyOf = (address: BoundAddress, credentials: TalosCredentials): string =>
  `${hostPort(address)} ${credentialsKey(credentials)}`;

function credentialsKey({ ca, crt, key }: TalosCredentials): string {
  const hash = createHash('sha256');
  for (const text of [ca, crt, key]) hash.update(`${text.length} ${text}`);
  return hash.digest('base64');
}

/** The machines of a cluster are asked with the same certificates: they are parsed once for as long as somebody uses them. */
function createContexts(): (credentials: TalosCredentials) => SecureContext {
  const known = new Map<string, WeakRef<SecureContext>>();
  return (credentials) => {
    const key = credentialsKey(credentials);
    const found = known.get(key)?.deref();
    if (found !== undefined) return found;
    for (const [other, context] of known) if (context.deref() === undefined) known.delete(other);
    const made = contextOf(credentials);
    known.set(key, new WeakRef(made));
    return made;
  };
}

/** Whom we believe and who we are. OpenSSL takes rubbish behind a certificate without a word, so each is read first. */
function contextOf({ ca, crt, key }: TalosCredentials): SecureContext {
  readCertificate(ca);
  readCertificate(crt);
  try {
    return createSecureContext({ ca, cert: crt, key: pkcs8Pem(readPrivateKey(key)), minVersion: 'TLSv1.3' });
  } catch (cause) {
    const message = `reading the client certificate of the Talos API: ${errorText(cause)}`;
    throw new BloomeryError('BLM_TALOS_CERTIFICATE_MALFORMED', message, { cause });
  }
}
