import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { RandomBytes } from '@bloomery/ports';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { upstreamName } from './exchange.ts';
import { upstreamError, upstreamReason } from './upstream-error.ts';
import { encodeUpstreamQuestion, type UpstreamQuestion } from './upstream-question.ts';

/**
 * Ask by one datagram, from a connected socket on a random port with a random id: what another host sends, or has another id, is
 * not seen.
 *
 * @returns the response, whatever it says.
 * @throws BloomeryError BLM_DNS_UPSTREAM when the system or an ICMP message says that nobody is there, or `signal` aborts.
 */
export function askByUdp(
  upstream: DnsUpstreamSetting,
  question: UpstreamQuestion,
  { random, signal }: { readonly random: RandomBytes; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const [high = 0, low = 0] = random(2);
  const packet = encodeUpstreamQuestion(question, (high << 8) | low);
  const socket = createSocket({ type: isIPv6(upstream.address) ? 'udp6' : 'udp4', reuseAddr: false });
  return new Promise<Uint8Array>((resolve, reject) => {
    let done = false;
    const end = (finish: () => void): void => {
      if (done) return;
      done = true;
      signal.removeEventListener('abort', abort);
      socket.close();
      finish();
    };
    const fail = (error: unknown): void =>
      end(() => reject(upstreamError(upstreamName(upstream), upstreamReason(error), error)));
    const abort = (): void => end(() => reject(upstreamError(upstreamName(upstream), 'timeout')));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    socket.on('error', fail);
    socket.on('message', (message) => {
      if (message[0] === high && message[1] === low && ((message[2] ?? 0) & 0x80) !== 0)
        end(() => resolve(Uint8Array.from(message)));
    });
    // Node tells this callback of failures (no route to the server), not the listener of errors.
    socket.connect(upstream.port, upstream.address, (refused?: Error) => {
      if (refused instanceof Error) fail(refused);
      else if (!done) socket.send(packet, (error) => (error ? fail(error) : undefined));
    });
  });
}
