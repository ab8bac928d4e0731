/**
 * A DHCPv4 server of a test that sends every kind of rubbish before each good answer: it leases 10.77.0.99 from 10.77.0.1, and
 * everything that names another address is a trap. Runs in a namespace of its own.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { DHCP_OPTION, type DhcpPacket, decodeDhcp, dhcpAddresses, encodeDhcp } from '@bloomery/wire';
import { ACK, DISCOVER, dhcp4Type, NAK, OFFER } from '../dhcp4/dhcp4-messages.ts';

const [OWN, LEASED, TRAP] = ['10.77.0.1', '10.77.0.99', '10.77.0.66'];
const TRUNCATIONS_EVERY = 7;

const socket = createSocket('udp4');
socket.on('message', (message) => {
  const request = decodeDhcp(message);
  const isDiscover = dhcp4Type(request) === DISCOVER;
  const answer = (changes: Partial<DhcpPacket>, type: number = isDiscover ? OFFER : ACK, server = OWN): Uint8Array =>
    encodeDhcp({
      ...request,
      op: 2,
      yiaddr: TRAP,
      options: new Map([
        [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(type)],
        [DHCP_OPTION.SERVER_ID, dhcpAddresses([server])],
        [DHCP_OPTION.SUBNET_MASK, dhcpAddresses(['255.255.255.0'])],
        [DHCP_OPTION.LEASE_SECONDS, Uint8Array.of(0, 0, 14, 16)],
        // A search list that points to itself, a route with an impossible length, half an address.
        [DHCP_OPTION.DOMAIN_SEARCH, Uint8Array.of(0xc0, 0)],
        [DHCP_OPTION.CLASSLESS_ROUTES, Uint8Array.of(99, 1, 2, 3)],
        [DHCP_OPTION.DNS, Uint8Array.of(10, 0)],
        [DHCP_OPTION.INTERFACE_MTU, Uint8Array.of(0, 1)],
        [DHCP_OPTION.HOST_NAME, Buffer.from('a b\nc')],
      ]),
      ...changes,
    });
  const good = answer({ yiaddr: LEASED });
  const rubbish: Uint8Array[] = [
    ...Array.from({ length: 50 }, () => Uint8Array.from(randomBytes(300))),
    answer({ xid: request.xid ^ 1 }),
    answer({ chaddr: Uint8Array.of(2, 0, 0, 0, 0, 9) }),
    answer({ op: 1 }),
    answer({ xid: request.xid ^ 1 }, NAK),
    answer({ yiaddr: '127.0.0.1' }),
    answer({ yiaddr: '224.0.0.1' }),
    ...(isDiscover ? [] : [answer({}, ACK, '10.77.0.2')]),
  ];
  for (let length = 0; length < 240; length += TRUNCATIONS_EVERY) rubbish.push(good.subarray(0, length));
  for (const bytes of [...rubbish, good]) socket.send(bytes, 68, '255.255.255.255', () => {});
});
socket.bind(67, '0.0.0.0', () => socket.setBroadcast(true));
