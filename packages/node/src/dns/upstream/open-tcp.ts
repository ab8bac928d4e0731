import { connect, isIP, type Socket } from 'node:net';
import type { BoundAddress } from '@bloomery/ports';

/** A plain connection. Rejects when it is refused or `signal` aborts; later `signal` means nothing. */
export function openTcp({ host, port }: BoundAddress, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, family: isIP(host), noDelay: true });
    const abort = (): void => {
      socket.destroy();
      reject(new Error('timeout'));
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    socket.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
    });
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
