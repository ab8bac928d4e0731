import { readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import { createAddressLimit } from './address-limit.ts';

/** PEM files: the certificate with its chain, and its key. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What speaking TLS needs. */
export interface TlsPortDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** A connection whose handshake is not over by then is closed. */
  readonly handshakeTimeoutMs: number;
  /** A connection whose handshake succeeded. */
  readonly onSecure: (socket: TLSSocket) => void;
}

/** The TLS end of a port. */
export interface TlsPort {
  /**
   * Begin the handshake; what was read already must have been put back. Above 512 handshakes at the same time, or 128 of one
   * address, the connection is closed: a handshake that does not go on holds 50 KB.
   */
  accept(socket: Socket): void;
}

/** Files are looked at again at most this often, when somebody connects. */
const LOOK_EVERY_MS = 1_000;
const HANDSHAKES = { total: 512, perAddress: 128 };

/**
 * Speak TLS with a certificate from files, which are read again when they change: a pair that does not fit is logged and the
 * old one stays. ALPN is answered and not asked for: old Talos sends none.
 *
 * @throws BloomeryError BLM_TLS_FILE when a file cannot be read or is no certificate or key; the message names it.
 */
export async function openTlsPort(files: TlsFiles, deps: TlsPortDeps): Promise<TlsPort> {
  const { clock, log } = deps;
  let seen = await lookAt(files);
  const server = createServer({
    ...(await readPair(files)),
    // Who offers both is a browser or a downloader, for which HTTP/2 has nothing here: gRPC clients offer h2 alone.
    ALPNProtocols: ['http/1.1', 'h2'],
    handshakeTimeout: deps.handshakeTimeoutMs,
    minVersion: 'TLSv1.2',
  });
  const takePlace = createAddressLimit(HANDSHAKES);
  /** By peer, what ends the count of its handshake. */
  const leaving = new Map<string, () => void>();
  server.on('secureConnection', (socket) => {
    leaving.get(peerOf(socket))?.();
    deps.onSecure(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    log.debug('machine_port.tls_error', { error: errorText(error) });
    socket.destroy();
  });
  let lastLookMs = clock.nowMs();
  let looking: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    try {
      const now = await lookAt(files);
      if (now === seen) return;
      seen = now;
      server.setSecureContext(await readPair(files));
      log.info('machine_port.certificate_renewed', { file: files.certFile });
    } catch (error) {
      log.warn('machine_port.certificate_kept', { error: errorText(error) });
    }
  };
  return {
    accept: (socket) => {
      const leave = takePlace(socket.remoteAddress ?? '');
      if (leave === undefined) {
        socket.destroy();
        return;
      }
      // Sockets of an HTTP server may be half open: a peer that goes in its handshake would be waited for.
      socket.allowHalfOpen = false;
      const peer = peerOf(socket);
      leaving.set(peer, leave);
      socket.once('close', () => {
        leave();
        if (leaving.get(peer) === leave) leaving.delete(peer);
      });
      const nowMs = clock.nowMs();
      if (looking === undefined && nowMs - lastLookMs >= LOOK_EVERY_MS) {
        lastLookMs = nowMs;
        looking = renew().finally(() => {
          looking = undefined;
        });
      }
      if (looking === undefined) server.emit('connection', socket);
      else void looking.then(() => socket.destroyed || server.emit('connection', socket));
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Reads both files and tries them together. */
async function readPair({ certFile, keyFile }: TlsFiles): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const [cert, key] = [await read('certificate', certFile), await read('key', keyFile)];
  attempt('certificate', certFile, () => createSecureContext({ cert }));
  attempt('key', keyFile, () => createSecureContext({ cert, key }));
  return { cert, key };
}

function attempt(what: string, file: string, work: () => unknown): void {
  try {
    work();
  } catch (cause) {
    throw failed(what, file, cause);
  }
}

async function read(what: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw failed(what, file, cause);
  }
}

function failed(what: string, file: string, cause: unknown): BloomeryError {
  const message = `reading the ${what} of the machine port from ${file}: ${errorText(cause)}`;
  return new BloomeryError('BLM_TLS_FILE', message, { facts: { file }, cause });
}

/** A text that differs when one of the files was replaced or written. */
async function lookAt({ certFile, keyFile }: TlsFiles): Promise<string> {
  const looks = await Promise.all([certFile, keyFile].map((file) => stat(file).catch(() => undefined)));
  return looks.map((look) => (look === undefined ? '-' : `${look.ino}.${look.size}.${look.mtimeMs}`)).join();
}
