import { type BoundAddress, hostPort } from '@bloomery/ports';
import { DHCP_MESSAGE, DHCP_OPTION, type DhcpPacket, dhcpAddresses, dhcpText, readDhcpNumber } from '@bloomery/wire';
import { type ClientKind, type DhcpClient, readDhcpClient } from './dhcp-client.ts';

/** What machines are told. */
export interface DhcpProxySettings {
  /** Our IPv4 address on the machines' network: TFTP server and server identifier. */
  readonly serverAddress: string;
  /** HTTP address of the machine port. */
  readonly endpoint: BoundAddress;
}

/** The answer to one packet. */
export type DhcpProxyPlan =
  | { readonly do: 'drop'; readonly why: string }
  | {
      readonly do: 'answer';
      readonly client: DhcpClient;
      /** Loader name or URL. */
      readonly file: string;
      readonly reply: DhcpPacket;
      /** The reply must not be longer, in bytes. */
      readonly maxBytes: number;
    };

const LOADER: Readonly<Record<ClientKind, string>> = {
  bios: 'undionly.kpxe',
  efi: 'snp.efi',
  'efi-arm64': 'snp-arm64.efi',
  http: 'snp.efi',
  'http-arm64': 'snp-arm64.efi',
  'raspberry-pi': 'snp-arm64.efi',
  ipxe: 'boot.ipxe',
};

/** Suboption 6, discovery control: take the boot file of this answer, look for no other server. */
const USE_BOOT_FILE = [6, 1, 8];
/** Suboptions 9 and 10: the boot menu that a Raspberry Pi looks for. */
const RASPBERRY_MENU = [9, 20, 0, 0, 17, ...Buffer.from('Raspberry Pi Boot'), 10, 4, 0, ...Buffer.from('PXE')];
const IP_UDP_HEADER_BYTES = 28;
const REPLY_MIN_BYTES = 300;
const REPLY_MAX_BYTES = 1_472;
const FILE_MAX_CHARACTERS = 127;

/**
 * Decide the answer of the DHCP proxy, which names a boot file and never gives an address. Pure.
 *
 * @param port where the packet came in: broadcasts on 67, questions of machines that have their address already on 4011
 * @see PXE specification 2.1 section 2.2, RFC 4578
 */
export function planDhcpProxy(packet: DhcpPacket, port: 67 | 4011, settings: DhcpProxySettings): DhcpProxyPlan {
  if (packet.op !== 1) return { do: 'drop', why: 'not a request' };
  const type = readDhcpNumber(packet.options.get(DHCP_OPTION.MESSAGE_TYPE) ?? new Uint8Array());
  const isQuestion = type === DHCP_MESSAGE.REQUEST || type === DHCP_MESSAGE.INFORM;
  if (type !== DHCP_MESSAGE.DISCOVER && !(port === 4011 && isQuestion))
    return { do: 'drop', why: `message type ${type}` };
  const client = readDhcpClient(packet);
  if (typeof client === 'string') return { do: 'drop', why: client };
  const { file, overTftp, vendorClass } = bootFileOf(client, settings);
  const { serverAddress } = settings;
  const options = new Map<number, Uint8Array>([
    [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(isQuestion ? DHCP_MESSAGE.ACK : DHCP_MESSAGE.OFFER)],
    [DHCP_OPTION.SERVER_ID, dhcpAddresses([serverAddress])],
    [DHCP_OPTION.VENDOR_CLASS, dhcpText(vendorClass)],
  ]);
  echo(packet, options, DHCP_OPTION.CLIENT_GUID);
  if (vendorClass === 'PXEClient') {
    const menu = client.kind === 'raspberry-pi' ? RASPBERRY_MENU : [];
    options.set(DHCP_OPTION.VENDOR_SPECIFIC, Uint8Array.of(...USE_BOOT_FILE, ...menu, 255));
  }
  if (overTftp) options.set(DHCP_OPTION.TFTP_SERVER, dhcpText(serverAddress));
  options.set(DHCP_OPTION.BOOT_FILE, dhcpText(file));
  echo(packet, options, DHCP_OPTION.RELAY_AGENT);
  return {
    do: 'answer',
    client,
    file,
    maxBytes: maxBytesOf(packet),
    reply: {
      ...packet,
      op: 2,
      hops: 0,
      secs: 0,
      yiaddr: '0.0.0.0',
      siaddr: serverAddress,
      sname: overTftp ? serverAddress : '',
      file: file.length <= FILE_MAX_CHARACTERS ? file : '',
      options,
    },
  };
}

function bootFileOf(
  { kind }: DhcpClient,
  { endpoint }: DhcpProxySettings,
): { readonly file: string; readonly overTftp: boolean; readonly vendorClass: 'PXEClient' | 'HTTPClient' } {
  const loader = LOADER[kind];
  if (kind === 'http' || kind === 'http-arm64') {
    return { file: `http://${hostPort(endpoint)}/tftp/${loader}`, overTftp: false, vendorClass: 'HTTPClient' };
  }
  if (kind !== 'ipxe') return { file: loader, overTftp: true, vendorClass: 'PXEClient' };
  return { file: `http://${hostPort(endpoint)}/${loader}`, overTftp: false, vendorClass: 'PXEClient' };
}

function echo(packet: DhcpPacket, options: Map<number, Uint8Array>, code: number): void {
  const value = packet.options.get(code);
  if (value !== undefined) options.set(code, value);
}

function maxBytesOf(packet: DhcpPacket): number {
  const asked = readDhcpNumber(packet.options.get(DHCP_OPTION.MAX_SIZE) ?? new Uint8Array()) ?? REPLY_MAX_BYTES;
  return Math.max(REPLY_MIN_BYTES, Math.min(asked - IP_UDP_HEADER_BYTES, REPLY_MAX_BYTES));
}
