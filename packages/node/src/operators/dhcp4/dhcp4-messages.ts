import { DHCP_MESSAGE, DHCP_OPTION, type DhcpPacket, dhcpAddresses, dhcpText, encodeDhcp } from '@bloomery/wire';
import type { HostName } from '../operator.ts';
import type { Dhcp4Link } from './dhcp4-transport.ts';
import { macBytes } from './packet-socket.ts';

/** What is the same in all messages of one exchange. */
export interface Dhcp4Identity {
  readonly link: Dhcp4Link;
  /** Value of option 61; absent: none is sent. */
  readonly clientId?: Uint8Array;
  /** Sent when not empty. */
  readonly hostname: HostName;
  /** Whether the server is asked for a name. */
  readonly wantsHostname: boolean;
}

/** What differs. */
export interface Dhcp4Message {
  readonly type: number;
  readonly xid: number;
  /** Since the exchange began. */
  readonly seconds: number;
  /** Where it is already in use (renewal): dotted. */
  readonly clientAddress?: string;
  readonly requestedAddress?: string;
  readonly server?: string;
}

const ETHERNET = 1;
const WANTS_BROADCAST = 0x8000;
const MAX_MESSAGE_BYTES = 1_500;
const NONE = '0.0.0.0';

/**
 * Encode what a client says. Links other than Ethernet have no room for their address: they are known by their client id and are
 * answered by broadcast.
 *
 * @see RFC 2131 section 4.4.1, RFC 4390
 */
export function encodeDhcp4Message(identity: Dhcp4Identity, message: Dhcp4Message): Uint8Array {
  const { link, clientId, hostname, wantsHostname } = identity;
  const isEthernet = link.type === ETHERNET;
  const options = new Map<number, Uint8Array>([[DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(message.type)]]);
  if (clientId !== undefined) options.set(DHCP_OPTION.CLIENT_ID, clientId);
  if (message.requestedAddress !== undefined) {
    options.set(DHCP_OPTION.REQUESTED_ADDRESS, dhcpAddresses([message.requestedAddress]));
  }
  if (message.server !== undefined) options.set(DHCP_OPTION.SERVER_ID, dhcpAddresses([message.server]));
  options.set(DHCP_OPTION.MAX_SIZE, Uint8Array.of(MAX_MESSAGE_BYTES >> 8, MAX_MESSAGE_BYTES & 0xff));
  if (hostname.hostname !== '') options.set(DHCP_OPTION.HOST_NAME, dhcpText(hostname.hostname));
  if (hostname.domainname !== '') options.set(DHCP_OPTION.DOMAIN_NAME, dhcpText(hostname.domainname));
  options.set(DHCP_OPTION.PARAMETER_LIST, Uint8Array.from(wantedOptions(wantsHostname)));
  return encodeDhcp({
    op: 1,
    htype: link.type,
    hops: 0,
    xid: message.xid,
    secs: Math.min(message.seconds, 0xffff),
    flags: isEthernet ? 0 : WANTS_BROADCAST,
    ciaddr: message.clientAddress ?? NONE,
    yiaddr: NONE,
    siaddr: NONE,
    giaddr: NONE,
    chaddr: isEthernet ? macBytes(link.hardwareAddr) : new Uint8Array(),
    sname: '',
    file: '',
    options,
  });
}

/** Classless routes stand before routers, as RFC 3442 wants it. */
function wantedOptions(wantsHostname: boolean): readonly number[] {
  return [
    DHCP_OPTION.SUBNET_MASK,
    DHCP_OPTION.CLASSLESS_ROUTES,
    DHCP_OPTION.ROUTER,
    DHCP_OPTION.DNS,
    DHCP_OPTION.DOMAIN_SEARCH,
    DHCP_OPTION.TIME_SERVERS,
    DHCP_OPTION.INTERFACE_MTU,
    ...(wantsHostname ? [DHCP_OPTION.HOST_NAME, DHCP_OPTION.DOMAIN_NAME] : []),
  ];
}

/** Whether a message is an answer to this exchange: of a server, with our number, for our link. */
export function isDhcp4Reply(packet: DhcpPacket, xid: number, link: Dhcp4Link): boolean {
  const isOurs = link.type !== ETHERNET || Buffer.from(packet.chaddr).equals(macBytes(link.hardwareAddr));
  return packet.op === 2 && packet.xid === xid && isOurs;
}

/** The type of a message; 0 when it has none. */
export function dhcp4Type({ options }: DhcpPacket): number {
  return options.get(DHCP_OPTION.MESSAGE_TYPE)?.[0] ?? 0;
}

/** Types by the names of the protocol. */
export const { DISCOVER, OFFER, REQUEST, ACK, NAK } = DHCP_MESSAGE;
