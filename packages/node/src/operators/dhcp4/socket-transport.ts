import { createSocket, type Socket } from 'node:dgram';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import type { Dhcp4Transport } from './dhcp4-transport.ts';
import { PacketSocket } from './packet-socket.ts';

const SERVER_PORT = 67;
const CLIENT_PORT = 68;

/** DHCP on this host's links. */
export function socketDhcp4Transport(log: Logger): Dhcp4Transport {
  const packets = new PacketSocket(log);
  return {
    broadcast: (link, onReply) => packets.listen(link, onReply),
    unicast: async (address, server, onReply) => {
      const socket = createSocket({ type: 'udp4', reuseAddr: true });
      await bound(socket, address);
      socket.on('message', (payload, from) => {
        if (from.port === SERVER_PORT) onReply(payload);
      });
      return {
        // A server that is gone answers with ICMP or not at all: the retransmission deals with both.
        send: (payload) => socket.send(payload, SERVER_PORT, server, () => {}),
        [Symbol.dispose]: () => socket.close(),
      };
    },
  };
}

function bound(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) => {
      socket.close();
      const what = `binding to ${address} port ${CLIENT_PORT} for DHCP`;
      reject(new BloomeryError('BLM_NODE_DHCP', `${what}: ${errorText(cause)}`, { retryable: true, cause }));
    });
    socket.bind({ port: CLIENT_PORT, address, exclusive: true }, () => {
      socket.removeAllListeners('error').on('error', () => {});
      resolve();
    });
  });
}
