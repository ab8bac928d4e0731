import type { Duplex } from 'node:stream';
import type { BoundAddress } from '@bloomery/ports';
import { parseIpv4, parseIpv6 } from '@bloomery/wire';
import { takeBytes } from './take-bytes.ts';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const PASSWORD = 2;
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 4: 16 };
const REFUSALS = [
  '',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'command not supported',
  'address type not supported',
];

/** Who we are to the proxy; empty: nobody. */
export interface SocksCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Ask a SOCKS 5 proxy, on its open connection, to connect to a target. Names are resolved by the proxy.
 *
 * @throws Error with what the proxy refused.
 * @see RFC 1928, RFC 1929
 */
export async function connectSocks5(socket: Duplex, target: BoundAddress, who: SocksCredentials): Promise<void> {
  const methods = who.username === '' ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, PASSWORD];
  socket.write(Uint8Array.from([VERSION, methods.length, ...methods]));
  const [version, method] = await takeBytes(socket, exactly(2));
  if (version !== VERSION) throw new Error('it does not speak SOCKS 5');
  if (method === PASSWORD && who.username !== '') await authenticate(socket, who);
  else if (method !== NO_AUTHENTICATION) throw new Error('it wants other credentials');
  const port = [target.port >> 8, target.port & 0xff];
  socket.write(Uint8Array.from([VERSION, 1, 0, ...addressOf(target.host), ...port]));
  const answer = await takeBytes(socket, (bytes) => {
    const size = bytes[3] === 3 ? 1 + (bytes[4] ?? 0) : (ADDRESS_BYTES[bytes[3] ?? 0] ?? 0);
    return bytes.length < 5 ? undefined : exactly(4 + size + 2)(bytes);
  });
  const code = answer[1] ?? 1;
  if (code !== 0) throw new Error(`it refused: ${REFUSALS[code] ?? `code ${code}`}`);
}

async function authenticate(socket: Duplex, { username, password }: SocksCredentials): Promise<void> {
  const [name, word] = [Buffer.from(username), Buffer.from(password)];
  if (name.length > 255 || word.length > 255) throw new Error('its user name or password is longer than 255 bytes');
  socket.write(Uint8Array.from([1, name.length, ...name, word.length, ...word]));
  const [, status] = await takeBytes(socket, exactly(2));
  if (status !== 0) throw new Error('it refused the user name or password');
}

function addressOf(host: string): readonly number[] {
  const ipv4 = parseIpv4(host);
  if (ipv4 !== undefined) return [1, ...ipv4];
  const ipv6 = parseIpv6(host);
  if (ipv6 !== undefined) return [4, ...ipv6];
  const name = Buffer.from(host);
  if (name.length === 0 || name.length > 255) throw new Error('the host name is not 1 to 255 bytes');
  return [3, name.length, ...name];
}

function exactly(length: number): (bytes: Buffer) => number | undefined {
  return (bytes) => (bytes.length < length ? undefined : length);
}
