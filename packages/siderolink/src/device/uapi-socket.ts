import { type FileHandle, open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { BloomeryError, type Clock } from '@bloomery/ports';
import {
  type DeviceSecrets,
  type DeviceState,
  type DeviceUpdate,
  decodeUapiGet,
  decodeUapiSecrets,
  encodeUapiSet,
  UAPI_GET,
  uapiErrno,
} from '@bloomery/wire';

/** Requests to wireguard-go over its control socket, one connection each. */
export interface UapiSocket extends AsyncDisposable {
  set(update: DeviceUpdate): Promise<void>;
  get(): Promise<DeviceState>;
  secrets(): Promise<DeviceSecrets>;
  /** Resolves when wireguard-go has ended: it keeps an idle connection open for as long as it lives. */
  ended(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 5_000;
const ATTEMPTS = 2;
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;

/** Open the control socket `<name>.sock` in `dir`; paths of any length work. The socket need not exist yet. */
export async function openUapiSocket(dir: string, name: string, clock: Clock): Promise<UapiSocket> {
  const handle = await open(dir, 'r');
  const request = async (text: string): Promise<string> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return checked(await exchange(socketPath(handle, name), text, clock));
      } catch (error) {
        const isSilent = error instanceof BloomeryError && error.retryable;
        if (!isSilent || attempt === ATTEMPTS) throw error;
      }
    }
  };
  const idle = new Set<Socket>();
  return {
    set: async (update) => void (await request(encodeUapiSet(update))),
    get: async () => decodeUapiGet(await request(UAPI_GET)),
    secrets: async () => decodeUapiSecrets(await request(UAPI_GET)),
    ended: () =>
      new Promise((resolve) => {
        const socket = connect(socketPath(handle, name)).unref();
        idle.add(socket);
        socket.on('error', () => {});
        socket.once('close', () => resolve());
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of idle) socket.destroy();
      await handle.close();
    },
  };
}

/** Through the open directory: unix socket addresses hold 107 bytes, state folders may be deeper. */
function socketPath(dir: FileHandle, name: string): string {
  return `/proc/self/fd/${dir.fd}/${name}.sock`;
}

function checked(answer: string): string {
  const errno = uapiErrno(answer);
  if (errno !== 0) {
    const [, words = `errno ${errno}`] = getSystemErrorMap().get(errno) ?? [];
    throw failed(`wireguard-go refused the request: ${words}`, false);
  }
  return answer;
}

function exchange(path: string, request: string, clock: Clock): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error?: BloomeryError): void => {
      cancel();
      socket.destroy();
      if (error === undefined) resolve(Buffer.concat(chunks).toString('latin1'));
      else reject(error);
    };
    const cancel = clock.after(REQUEST_TIMEOUT_MS, () => finish(failed('wireguard-go did not answer in 5 s', true)));
    socket.on('error', (error) => finish(failed(`talking to wireguard-go: ${error.message}`, false)));
    socket.on('end', () => finish(failed('wireguard-go closed the connection without an answer', true)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > ANSWER_MAX_BYTES) finish(failed('the answer of wireguard-go is too large', false));
      else if (endsWithBlankLine(chunks)) finish();
    });
    socket.write(request);
  });
}

function endsWithBlankLine(chunks: readonly Buffer[]): boolean {
  const tail = Buffer.concat(chunks.slice(-2)).subarray(-2);
  return tail.length === 2 && tail[0] === 0x0a && tail[1] === 0x0a;
}

function failed(message: string, retryable: boolean): BloomeryError {
  return new BloomeryError('BLM_LINK_DEVICE_FAILED', message, { retryable });
}
