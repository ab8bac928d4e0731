import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  DHCP_MESSAGE,
  DHCP_OPTION,
  type DhcpPacket,
  decodeDhcp,
  dhcpText,
  encodeDhcp,
  readDhcpAddresses,
  readDhcpText,
} from '@bloomery/wire';

/**
 * Firmware in a network namespace: broadcasts a DISCOVER until `COUNT` different offers came (4 s), or asks port 4011 of one.
 * `firmware-end.ts discover COUNT` or `firmware-end.ts ask SERVER OWN-ADDRESS`. Prints the answers.
 */
const [, , what, target = '1', own = '0.0.0.0'] = process.argv;
const empty = new Uint8Array();
const packet = (type: number, ciaddr: string): DhcpPacket => ({
  op: 1,
  htype: 1,
  hops: 0,
  xid: 0x12345678,
  secs: 0,
  flags: ciaddr === '0.0.0.0' ? 0x8000 : 0,
  ciaddr,
  yiaddr: '0.0.0.0',
  siaddr: '0.0.0.0',
  giaddr: '0.0.0.0',
  chaddr: Uint8Array.of(0x52, 0x54, 0, 0x77, 0, 1),
  sname: '',
  file: '',
  options: new Map([
    [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(type)],
    [DHCP_OPTION.PARAMETER_LIST, Uint8Array.of(1, 3, 43, 54, 60, 66, 67)],
    [DHCP_OPTION.VENDOR_CLASS, dhcpText('PXEClient:Arch:00007:UNDI:003016')],
    [DHCP_OPTION.CLIENT_ARCH, Uint8Array.of(0, 7)],
    [DHCP_OPTION.CLIENT_NDI, Uint8Array.of(1, 3, 16)],
    [DHCP_OPTION.CLIENT_GUID, new Uint8Array(17)],
  ]),
});

const answers = new Map<string, unknown>();
const socket = createSocket('udp4');
const wanted = what === 'discover' ? Number(target) : 1;
const end = (): void => {
  process.stdout.write(`${JSON.stringify([...answers.values()])}\n`);
  process.exit(0);
};
socket.on('message', (bytes, from) => {
  const reply = decodeDhcp(bytes);
  const option = (code: number): Uint8Array => reply.options.get(code) ?? empty;
  const server = readDhcpAddresses(option(DHCP_OPTION.SERVER_ID))[0] ?? from.address;
  const gives = reply.yiaddr !== '0.0.0.0';
  answers.set(`${server} ${gives}`, {
    server,
    type: option(DHCP_OPTION.MESSAGE_TYPE)[0],
    gives,
    file: readDhcpText(option(DHCP_OPTION.BOOT_FILE)),
  });
  if (answers.size >= wanted) end();
});
socket.bind(what === 'discover' ? 68 : 0, '0.0.0.0');
await once(socket, 'listening');
socket.setBroadcast(true);
const send = (): void => {
  if (what === 'discover') socket.send(encodeDhcp(packet(DHCP_MESSAGE.DISCOVER, '0.0.0.0')), 67, '255.255.255.255');
  else socket.send(encodeDhcp(packet(DHCP_MESSAGE.REQUEST, own)), 4011, target);
};
send();
setInterval(send, 1_000);
setTimeout(end, 4_000);
