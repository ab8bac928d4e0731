import {
  DHCP_OPTION,
  type DhcpPacket,
  formatMac,
  readDhcpText,
  readDhcpUint16s,
  readDhcpUserClasses,
} from '@bloomery/wire';

/** How a machine's firmware boots from the network. */
export type ClientKind = 'bios' | 'efi' | 'efi-arm64' | 'http' | 'http-arm64' | 'raspberry-pi' | 'ipxe';

/** A machine that asks for a network boot. */
export interface DhcpClient {
  readonly kind: ClientKind;
  /** Lower case with colons. */
  readonly mac: string;
  /** Option 93 or what option 60 says; undefined for an iPXE that says neither. */
  readonly arch: number | undefined;
  /** 16 bytes of option 97. */
  readonly guid: Uint8Array | undefined;
}

/** Processor architecture types of RFC 4578 and the IANA registry that we have a loader for. */
const KINDS: ReadonlyMap<number, ClientKind> = new Map([
  [0, 'bios'],
  [6, 'efi'],
  [7, 'efi'],
  [9, 'efi'],
  [11, 'efi-arm64'],
  [15, 'http'],
  [16, 'http'],
  [19, 'http-arm64'],
  [21, 'efi-arm64'],
  [22, 'http-arm64'],
  [41, 'raspberry-pi'],
]);

/** Vendor prefixes of Raspberry Pi boards: their boot ROM claims to be a BIOS. */
const RASPBERRY_PREFIXES = ['b8:27:eb', 'dc:a6:32', 'e4:5f:01', '28:cd:c1', 'd8:3a:dd'];

/** Understand who asks; a text says why the packet is none of ours. */
export function readDhcpClient(packet: DhcpPacket): DhcpClient | string {
  const guid = packet.options.get(DHCP_OPTION.CLIENT_GUID);
  if (guid !== undefined && (guid.byteLength !== 17 || guid[0] !== 0)) return 'malformed client GUID (option 97)';
  const vendorClass = textOf(packet, DHCP_OPTION.VENDOR_CLASS);
  const isHttp = vendorClass.startsWith('HTTPClient');
  if (vendorClass !== '' && !isHttp && !vendorClass.startsWith('PXEClient'))
    return `vendor class ${vendorClass.slice(0, 40)}`;
  if (packet.chaddr.byteLength === 0) return 'no hardware address';
  const arches = archesOf(packet, vendorClass);
  const isIpxe = readDhcpUserClasses(packet.options.get(DHCP_OPTION.USER_CLASS) ?? new Uint8Array()).includes('iPXE');
  if (arches.length === 0) return 'not a network boot (no option 93)';
  const mac = formatMac(packet.chaddr);
  const rest = { mac, guid: guid?.subarray(1) };
  if (isIpxe) return { kind: 'ipxe', arch: arches[0], ...rest };
  const arch = arches.find((a) => KINDS.has(a));
  const kind = arch === undefined ? undefined : KINDS.get(arch);
  if (kind === undefined) return `no loader for architecture ${arches.join(', ')}`;
  if (kind === 'bios' && RASPBERRY_PREFIXES.some((prefix) => mac.startsWith(prefix))) {
    return { kind: 'raspberry-pi', arch, ...rest };
  }
  return { kind: isHttp ? overHttp(kind) : kind, arch, ...rest };
}

function overHttp(kind: ClientKind): ClientKind {
  if (kind === 'efi') return 'http';
  return kind === 'efi-arm64' ? 'http-arm64' : kind;
}

function archesOf(packet: DhcpPacket, vendorClass: string): readonly number[] {
  const listed = packet.options.get(DHCP_OPTION.CLIENT_ARCH);
  const arches = listed === undefined ? [] : readDhcpUint16s(listed);
  if (arches.some((arch) => KINDS.has(arch))) return arches;
  const named = /^(?:PXE|HTTP)Client:Arch:(\d{5})/.exec(vendorClass)?.[1];
  return named === undefined || arches.includes(Number(named)) ? arches : [...arches, Number(named)];
}

function textOf(packet: DhcpPacket, code: number): string {
  const value = packet.options.get(code);
  return value === undefined ? '' : readDhcpText(value);
}
