import { BloomeryError } from '@bloomery/ports';
import {
  DHCP_OPTION,
  type DhcpPacket,
  decodeDhcp,
  dhcpAddresses,
  encodeDhcp,
  readDhcpAddresses,
  readDhcpText,
} from '@bloomery/wire';
import { ACK, DISCOVER, dhcp4Type, NAK, OFFER } from '../dhcp4/dhcp4-messages.ts';
import type { Dhcp4Channel, Dhcp4Transport, OnDhcp4 } from '../dhcp4/dhcp4-transport.ts';

/** A message as a fake server has seen it. */
export interface SeenDhcp4 {
  readonly type: number;
  readonly how: 'broadcast' | 'unicast';
  readonly requested: string | undefined;
  readonly ciaddr: string;
  readonly hostname: string;
  readonly clientId: string;
  /** Codes of the options asked for. */
  readonly wanted: readonly number[];
  readonly packet: DhcpPacket;
}

/** A DHCP server in memory with one address, and the transport that leads to it. What it does may be changed at any time. */
export interface FakeDhcp4 extends Dhcp4Transport {
  address: string;
  leaseSeconds: number;
  /** `silent`: never answers. `refuse`: answers requests with NAK. */
  mood: 'kind' | 'silent' | 'refuse';
  /** Whether the host has the leased address, so that it can renew from it. */
  canUnicast: boolean;
  /** Further options of its answers. */
  options: ReadonlyMap<number, Uint8Array>;
  readonly seen: SeenDhcp4[];
  /** Datagrams sent before each good answer: given it. */
  before: (good: Uint8Array, request: DhcpPacket) => readonly Uint8Array[];
  /** Channels that are open now. */
  open: number;
}

export const FAKE_SERVER = '10.0.0.1';

/** Start one, kind. */
export function createFakeDhcp4(): FakeDhcp4 {
  const connect = async (how: SeenDhcp4['how'], onReply: OnDhcp4): Promise<Dhcp4Channel> => {
    fake.open += 1;
    return {
      send: (payload) => {
        const packet = decodeDhcp(payload);
        fake.seen.push(seenOf(packet, how));
        if (fake.mood === 'silent') return;
        const good = answerTo(packet, fake);
        for (const bytes of [...fake.before(good, packet), good]) queueMicrotask(() => onReply(bytes));
      },
      [Symbol.dispose]: () => {
        fake.open -= 1;
      },
    };
  };
  const fake: FakeDhcp4 = {
    address: '10.0.0.50',
    leaseSeconds: 3_600,
    mood: 'kind',
    canUnicast: true,
    options: new Map(),
    seen: [],
    before: () => [],
    open: 0,
    broadcast: (_link, onReply) => connect('broadcast', onReply),
    unicast: async (_link, _way, onReply) => {
      if (!fake.canUnicast) throw new BloomeryError('BLM_NODE_DHCP', 'the address is not there');
      return await connect('unicast', onReply);
    },
  };
  return fake;
}

function seenOf(packet: DhcpPacket, how: SeenDhcp4['how']): SeenDhcp4 {
  const option = (code: number): Uint8Array => packet.options.get(code) ?? new Uint8Array();
  return {
    type: dhcp4Type(packet),
    how,
    requested: readDhcpAddresses(option(DHCP_OPTION.REQUESTED_ADDRESS))[0],
    ciaddr: packet.ciaddr,
    hostname: readDhcpText(option(DHCP_OPTION.HOST_NAME)),
    clientId: Buffer.from(option(DHCP_OPTION.CLIENT_ID)).toString('hex'),
    wanted: [...option(DHCP_OPTION.PARAMETER_LIST)],
    packet,
  };
}

/** What a kind (or refusing) server answers. */
function answerTo(request: DhcpPacket, { address, leaseSeconds, mood, options }: FakeDhcp4): Uint8Array {
  const isDiscover = dhcp4Type(request) === DISCOVER;
  const type = isDiscover ? OFFER : mood === 'refuse' ? NAK : ACK;
  const lease = Buffer.alloc(4);
  lease.writeUInt32BE(leaseSeconds);
  return encodeDhcp({
    ...request,
    op: 2,
    yiaddr: type === NAK ? '0.0.0.0' : address,
    options: new Map([
      [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(type)],
      [DHCP_OPTION.SERVER_ID, dhcpAddresses([FAKE_SERVER])],
      [DHCP_OPTION.SUBNET_MASK, dhcpAddresses(['255.255.255.0'])],
      ...(leaseSeconds === 0 ? [] : [[DHCP_OPTION.LEASE_SECONDS, Uint8Array.from(lease)] as const]),
      ...options,
    ]),
  });
}
