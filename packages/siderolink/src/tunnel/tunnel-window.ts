import type { Http2Stream } from 'node:http2';

/** HTTP/2 window of a connection that carries tunnels, in bytes. Others keep the protocol's 64 KiB. */
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;

/** Let the connection of this stream have as much under way as a tunnel needs. */
export function widenWindow({ session }: Pick<Http2Stream, 'session'>): void {
  session?.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
}
