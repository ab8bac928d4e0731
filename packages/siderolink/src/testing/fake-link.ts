import { createServer } from 'node:http2';
import { createGrpcHandler, type GrpcStatusName, grpcError, grpcService } from '@bloomery/grpc';
import { type Clock, silentLog, systemClock } from '@bloomery/ports';
import { eventsProto, linkProto } from '@bloomery/wire';
import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { LinkDevice } from '../node/link-device.ts';
import type { startTunnelRelay, TunnelEnd } from '../tunnel/tunnel-relay.ts';
import { generateWireguardKey } from '../wireguard-keys.ts';

type ProvisionRequest = MessageShape<typeof linkProto.ProvisionRequestSchema>;
/** Fields of an answer to Provision. */
export type ProvisionAnswer = Omit<MessageInitShape<typeof linkProto.ProvisionResponseSchema>, '$typeName'>;
type EventRequest = MessageShape<typeof eventsProto.EventRequestSchema>;

/** A server of a machine's calls for tests, on loopback in plain text. */
export interface FakeLinkServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly api: string;
  readonly requests: readonly ProvisionRequest[];
  readonly events: readonly EventRequest[];
  /** What Provision answers from now on; the status of a refusal instead of an answer. */
  answer: ProvisionAnswer | GrpcStatusName;
  /** What Publish does from now on. */
  sink: 'accept' | 'silent' | GrpcStatusName;
}

/** What a server answers to a machine that it takes. */
export const GRANT: ProvisionAnswer = {
  serverEndpoint: ['192.0.2.1:51821'],
  serverPublicKey: generateWireguardKey(),
  nodeAddressPrefix: 'fdae:41e4:649b:9303::abc/64',
  serverAddress: 'fdae:41e4:649b:9303::1',
  grpcPeerAddrPort: '',
};

/** Start one that takes every machine. */
export async function startFakeLinkServer(): Promise<FakeLinkServer> {
  const requests: ProvisionRequest[] = [];
  const events: EventRequest[] = [];
  const fake: Pick<FakeLinkServer, 'answer' | 'sink'> = { answer: GRANT, sink: 'accept' };
  const provision = grpcService(linkProto.ProvisionService, {
    provision: (request) => {
      requests.push(request);
      if (typeof fake.answer === 'string') throw grpcError(fake.answer, `refused by the test: ${fake.answer}`);
      return fake.answer;
    },
  });
  const publish = grpcService(eventsProto.EventSinkService, {
    publish: async (request, { signal }) => {
      const { sink } = fake;
      if (sink === 'silent') await new Promise((resolve) => signal.addEventListener('abort', resolve));
      else if (sink !== 'accept') throw grpcError(sink, 'refused by the test');
      events.push(request);
      return {};
    },
  });
  const server = createServer();
  server.on('stream', createGrpcHandler([provision, publish], { clock: systemClock, log: silentLog }));
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return Object.assign(fake, {
    api: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    requests,
    events,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Interfaces and relays without WireGuard: what was done to them is in `log`, in order. */
export function createFakeLink(clock: Clock) {
  const log: string[] = [];
  const devices: { handshakeMs: number | undefined; lose(why: string): void; fails: boolean }[] = [];
  const relays: { end(end: TunnelEnd): void }[] = [];
  return {
    log,
    devices,
    relays,
    /** Set it to make the next interfaces fail. */
    deviceError: undefined as Error | undefined,
    /** Set it to make the removal of interfaces fail. */
    removalError: undefined as Error | undefined,
    startDevice(isTunnel: boolean, privateKey: string): Promise<LinkDevice> {
      if (this.deviceError !== undefined) return Promise.reject(this.deviceError);
      const name = isTunnel ? 'siderolinktun' : 'siderolink';
      const lost = Promise.withResolvers<string>();
      const device = { handshakeMs: undefined as number | undefined, lose: lost.resolve, fails: false };
      devices.push(device);
      log.push(`add ${name} ${privateKey.length}`);
      return Promise.resolve({
        interfaceName: name,
        lost: lost.promise,
        configure: async (link, endpoint) => {
          log.push(`${name} ${link.nodeAddress} ${endpoint}`);
        },
        lastHandshakeMs: async () => {
          if (device.fails) throw new Error('gone');
          return device.handshakeMs;
        },
        [Symbol.asyncDispose]: async () => {
          log.push(`remove ${name}`);
          if (this.removalError !== undefined) throw this.removalError;
        },
      });
    },
    startRelay: (async (options) => {
      const ended = Promise.withResolvers<TunnelEnd>();
      const port = relays.push({ end: ended.resolve });
      log.push(`relay ${port} ${options.virtualAddress}`);
      return {
        endpoint: `127.0.0.1:${port}`,
        address: { host: '127.0.0.1', port },
        ended: ended.promise,
        stats: () => ({ connected: true, connections: 1, sent: 0, received: 0, dropped: 0 }),
        [Symbol.asyncDispose]: async () => {
          log.push(`end relay ${port}`);
          ended.resolve({ reason: 'closed', message: '' });
        },
      };
    }) as typeof startTunnelRelay,
    /** The server answers WireGuard on the newest interface now. */
    shake: () => {
      const device = devices.at(-1);
      if (device !== undefined) device.handshakeMs = clock.nowMs();
    },
  };
}
