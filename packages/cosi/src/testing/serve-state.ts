import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createGrpcHandler } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import { createStateService, type StateServiceDeps } from '../service/state-service.ts';
import type { State } from '../state.ts';

/** A state behind gRPC on loopback, without TLS. For tests. */
export interface ServedState extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
}

/** Serve a state for clients of COSI. Everything may be read unless `authorize` refuses. */
export async function serveState(state: State, deps: Partial<StateServiceDeps> = {}): Promise<ServedState> {
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
  const service = createStateService(state, { random, authorize: () => {}, ...deps });
  const handler = createGrpcHandler([service], { log: silentLog, clock: systemClock });
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
