import { createSocket } from 'node:dgram';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { Dhcp6Transport } from './dhcp6-transport.ts';

const CLIENT_PORT = 546;
const SERVER_PORT = 547;
/** All relays and servers on a link. @see RFC 8415 section 7.1 */
const SERVERS = 'ff02::1:2';

/** DHCPv6 on this host's links: each with a socket of its own, as link-local addresses are bound to their link. */
export function socketDhcp6Transport(): Dhcp6Transport {
  return {
    open: async (linkName, address, onReply) => {
      const socket = createSocket({ type: 'udp6', reuseAddr: true });
      await new Promise<void>((resolve, reject) => {
        socket.once('error', (cause) => {
          socket.close();
          const what = `binding to ${address}%${linkName} port ${CLIENT_PORT} for DHCPv6`;
          reject(new BloomeryError('BLM_NODE_DHCP', `${what}: ${errorText(cause)}`, { retryable: true, cause }));
        });
        socket.bind({ port: CLIENT_PORT, address: `${address}%${linkName}`, exclusive: true }, resolve);
      });
      socket.removeAllListeners('error').on('error', () => {});
      socket.on('message', (payload) => onReply(payload));
      return {
        send: (payload) => socket.send(payload, SERVER_PORT, `${SERVERS}%${linkName}`, () => {}),
        [Symbol.dispose]: () => socket.close(),
      };
    },
  };
}
