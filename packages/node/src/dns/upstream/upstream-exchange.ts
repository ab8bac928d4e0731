import type { Duplex } from 'node:stream';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { EdnsFallback } from './edns-fallback.ts';
import { type Exchange, type ExchangeDeps, upstreamName } from './exchange.ts';
import { openTcp } from './open-tcp.ts';
import { StreamExchange } from './stream-exchange.ts';
import { openTls } from './tls-stream.ts';
import { askByUdp } from './udp-exchange.ts';
import { overTcp } from './upstream-error.ts';

/** The ways to an upstream by its protocol. */
export function createExchange(upstream: DnsUpstreamSetting, deps: ExchangeDeps): Exchange {
  if (upstream.protocol === 'DoT') return tlsExchange(upstream, deps);
  if (upstream.protocol === 'DoH') return lazyHttpsExchange(upstream, deps);
  return new EdnsFallback(plainExchange(upstream, deps), deps.clock);
}

const TC = 0x02;

function plainExchange(upstream: DnsUpstreamSetting, deps: ExchangeDeps): Exchange {
  // Name servers of the node are beside it, not behind a proxy: plain DNS is never dialled through one.
  const open = (signal: AbortSignal): Promise<Duplex> =>
    openTcp({ host: upstream.address, port: upstream.port }, signal);
  const stream = new StreamExchange({ name: upstreamName(upstream), ...deps, open });
  return {
    async ask(question, signal) {
      if (question.transport === 'udp') {
        const message = await askByUdp(upstream, question, { random: deps.random, signal });
        if (((message[2] ?? 0) & TC) === 0) return { message, transport: 'udp' };
      }
      try {
        return { message: await stream.ask(question, signal), transport: 'tcp' };
      } catch (error) {
        throw overTcp(error);
      }
    },
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}

function tlsExchange(upstream: DnsUpstreamSetting, deps: ExchangeDeps): Exchange {
  const open = (signal: AbortSignal): Promise<Duplex> => openTls(upstream, { ...deps, alpn: ['dot'] }, signal);
  const stream = new StreamExchange({ name: upstreamName(upstream), ...deps, open });
  return {
    ask: async (question, signal) => ({ message: await stream.ask(question, signal), transport: 'tls' }),
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}

/** HTTP is loaded only by those who use it: it is the larger half of this package's memory. */
function lazyHttpsExchange(upstream: DnsUpstreamSetting, deps: ExchangeDeps): Exchange {
  const loaded = import('./https-exchange.ts').then(({ createHttpsExchange }) => createHttpsExchange(upstream, deps));
  return {
    ask: async (question, signal) => (await loaded).ask(question, signal),
    [Symbol.dispose]: () => {
      loaded.then((exchange) => exchange[Symbol.dispose]());
    },
  };
}
