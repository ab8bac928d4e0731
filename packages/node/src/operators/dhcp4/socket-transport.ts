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
    unicast: async (link, { from, to }, onReply) => {
      const heard = await packets.listen(link, onReply);
      try {
        // Answers come through the raw socket as well: this one sends, and keeps the host from refusing them.
        const socket = await bound(from);
        return {
          // A server that is gone answers with ICMP or not at all: the retransmission deals with both.
          send: (payload) => socket.send(payload, SERVER_PORT, to, () => {}),
          [Symbol.dispose]: () => {
            heard[Symbol.dispose]();
            socket.close();
          },
        };
      } catch (error) {
        heard[Symbol.dispose]();
        throw error;
      }
    },
  };
}

function bound(address: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) => {
      socket.close();
      const what = `binding to ${address} port ${CLIENT_PORT} for DHCP`;
      reject(new BloomeryError('BLM_NODE_DHCP', `${what}: ${errorText(cause)}`, { retryable: true, cause }));
    });
    socket.bind({ port: CLIENT_PORT, address, exclusive: true }, () => {
      socket.removeAllListeners('error').on('error', () => {});
      resolve(socket);
    });
  });
}
