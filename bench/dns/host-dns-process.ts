/** usage: host-dns-process.ts native|portable PORT SOURCE-PORT: the host's name server alone, for measurements. */
import { randomFillSync } from 'node:crypto';
import { startHostDns } from '../../packages/node/src/dns/start-host-dns.ts';
import { silentLog, systemClock } from '../../packages/ports/src/index.ts';

const [datagrams, port, source] = process.argv.slice(2);
const dns = await startHostDns({
  clock: systemClock,
  log: silentLog,
  random: (length) => randomFillSync(new Uint8Array(length)),
  datagrams: datagrams === 'portable' ? 'portable' : 'native',
});
await dns.configure({
  listen: [{ host: '127.0.0.1', port: Number(port) }],
  hopLimit: 1,
  upstreams: [{ address: '127.0.0.1', port: Number(source), protocol: 'Do53' }],
  staticHosts: new Map(),
  members: new Map(),
  domains: new Map(),
});
process.once('SIGTERM', () => void dns[Symbol.asyncDispose]());
