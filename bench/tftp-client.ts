import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decodeTftp, encodeTftp, type TftpOptions } from '@bloomery/wire';

/** Reads a file by TFTP and prints the bytes per second: `tftp-client.ts PORT FILE BLKSIZE WINDOWSIZE`. No losses expected. */
const [, , port = '69', file = '', blockSize = '512', windowSize = '1'] = process.argv;
const blockBytes = Number(blockSize);
const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 4_194_304,
  lookup: (address, _options, callback) => callback(null, address, 4),
});
const listening = once(socket, 'listening');
socket.bind(0, '127.0.0.1');
await listening;
const options: TftpOptions = [
  ['blksize', blockSize],
  ...(windowSize === '1' ? [] : ([['windowsize', windowSize]] as const)),
];
let window = 1;
let expected = 1;
let inWindow = 0;
let bytes = 0;
const started = performance.now();
socket.send(encodeTftp({ type: 'read', file, mode: 'octet', options }), Number(port), '127.0.0.1');
socket.on('message', (packet, from) => {
  if (packet[1] === 3) {
    const block = packet.readUInt16BE(2);
    if (block !== (expected & 0xffff)) return;
    expected += 1;
    inWindow += 1;
    bytes += packet.byteLength - 4;
    const last = packet.byteLength - 4 < blockBytes;
    if (inWindow < window && !last) return;
    inWindow = 0;
    const ack = Buffer.allocUnsafe(4);
    ack.writeUInt32BE(0x0004_0000 + block, 0);
    socket.send(ack, 0, 4, from.port, from.address);
    if (!last) return;
    const seconds = (performance.now() - started) / 1_000;
    process.stdout.write(`${bytes} ${bytes / seconds}\n`);
    setTimeout(() => process.exit(0), 50);
    return;
  }
  const reply = decodeTftp(packet);
  if (reply?.type === 'error') {
    process.stderr.write(`${reply.message}\n`);
    process.exit(1);
  }
  if (reply?.type !== 'oack') return;
  window = Number(reply.options.find(([name]) => name === 'windowsize')?.[1] ?? 1);
  socket.send(encodeTftp({ type: 'ack', block: 0 }), from.port, from.address);
});
setTimeout(() => {
  process.stderr.write(`stalled at block ${expected}\n`);
  process.exit(1);
}, 60_000).unref();
