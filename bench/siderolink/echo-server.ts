import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createGrpcHandler } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import { createPeerPacketReader } from '@bloomery/wire';
import { createPacketWriter } from '../../packages/siderolink/src/tunnel/packet-writer.ts';
import { widenWindow } from '../../packages/siderolink/src/tunnel/tunnel-window.ts';

/** Gives every PeerPacket back, by the reader, the writer and the windows of the tunnel service. Prints its address. */
const path = '/sidero.link.WireGuardOverGRPCService/CreateStream';
const echo = createGrpcHandler(
  [
    {
      name: 'echo',
      methods: [
        {
          path,
          open: (call) => {
            call.accept();
            widenWindow(call.stream);
            const writer = createPacketWriter(() => process.stderr.write('a packet was dropped\n'));
            const reader = createPeerPacketReader({ datagram: writer.push, tooLarge: () => {} });
            writer.attach(call.stream);
            call.stream.on('data', (chunk: Buffer) => {
              if (reader.push(chunk) !== undefined) call.finish('INTERNAL');
            });
            call.stream.once('end', () => call.finish('OK'));
          },
        },
      ],
    },
  ],
  { log: silentLog, clock: systemClock },
);
const server = createServer({ settings: { initialWindowSize: 1024 * 1024 } });
server.on('stream', echo);
server.listen(0, '127.0.0.1', () => process.stdout.write(`127.0.0.1:${(server.address() as AddressInfo).port}\n`));
