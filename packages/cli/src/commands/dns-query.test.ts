import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { systemClock } from '@bloomery/ports';
import {
  DNS_FLAG,
  DNS_RCODE,
  DNS_TRACE_OPTION,
  DNS_TYPE,
  type DnsQuery,
  type DnsTrace,
  encodeDnsAddressRecord,
  encodeDnsEdns,
  encodeDnsTrace,
  PLAIN_EDNS,
  readDnsQuery,
} from '@bloomery/wire';
import { buildCli } from '../build-cli.ts';
import { runCli } from '../run-cli.ts';
import { collect } from '../testing/fake-session.ts';

interface Reply {
  readonly rcode?: number;
  readonly addresses?: readonly string[];
  readonly flags?: number;
  readonly trace?: DnsTrace;
}

function encodeReply(packet: Uint8Array, query: DnsQuery, reply: Reply): Buffer {
  const { rcode = 0, addresses = [], flags = 0, trace } = reply;
  const head = Buffer.from(packet.subarray(0, query.questionEnd));
  const records = addresses.map((address) => encodeDnsAddressRecord({ nameAt: 12, address, ttlSeconds: 30 }));
  const isTraced = query.edns?.options.some(({ code }) => code === DNS_TRACE_OPTION) === true;
  const options = trace !== undefined && isTraced ? [{ code: DNS_TRACE_OPTION, data: encodeDnsTrace(trace) }] : [];
  head.writeUInt16BE(DNS_FLAG.QR | DNS_FLAG.RD | DNS_FLAG.RA | flags | rcode, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(1, 10);
  return Buffer.concat([head, ...records.map((r) => r ?? Buffer.alloc(0)), encodeDnsEdns({ ...PLAIN_EDNS, options })]);
}

/** A name server on UDP and TCP of the same port. */
async function startServer(answer: (query: DnsQuery, transport: 'udp' | 'tcp') => Reply | undefined) {
  const reply = (packet: Uint8Array, transport: 'udp' | 'tcp'): Buffer | undefined => {
    const reading = readDnsQuery(packet);
    const given = reading?.ok === true ? answer(reading.query, transport) : undefined;
    return reading?.ok === true && given !== undefined ? encodeReply(packet, reading.query, given) : undefined;
  };
  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const bytesBack = reply(bytes.subarray(2), 'tcp');
      if (bytesBack === undefined) return socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytesBack.byteLength);
      // In pieces, as networks do.
      socket.write(length.subarray(0, 1));
      return socket.write(Buffer.concat([length.subarray(1), bytesBack]));
    });
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const address = tcp.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const udp: Socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  udp.on('message', (packet, peer) => {
    // Somebody else's answer comes first.
    udp.send(Buffer.alloc(40, 0x81), peer.port, peer.address);
    const bytes = reply(packet, 'udp');
    if (bytes !== undefined) udp.send(bytes, peer.port, peer.address);
  });
  return {
    at: `127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      udp.close();
      tcp.close();
    },
  };
}

async function run(...args: readonly string[]) {
  const [stdout, stderr] = [collect(), collect()];
  const deps = { env: {}, stdout, stderr, clock: systemClock, version: '1', signal: new AbortController().signal };
  const code = await runCli(buildCli(deps), ['dns', 'query', ...args], deps);
  return { code, out: stdout.text().replace(/in [\d.]+ ms\n/, 'in N ms\n'), err: stderr.text() };
}

const UPSTREAM: DnsTrace = {
  answeredBy: 'upstream',
  upstream: '10.0.0.2:53',
  domain: 'example',
  tookMs: 512.34,
  coalesced: true,
  tries: [
    { upstream: '10.0.0.1:53', protocol: 'Do53', transport: 'udp', startedMs: 0, tookMs: 500, result: 'overtaken' },
    { upstream: '10.0.0.2:53', protocol: 'DoT', transport: 'tls', startedMs: 500.04, tookMs: 12, result: 'NOERROR' },
  ],
};

describe('bloomery dns query', () => {
  it('prints the records, and who answered', async () => {
    using server = await startServer(() => ({ addresses: ['192.0.2.1', '192.0.2.2'] }));
    assert.deepEqual(await run('www.example', '--server', server.at), {
      code: 0,
      out: `NAME           TTL   TYPE   DATA
www.example.   30    A      192.0.2.1
www.example.   30    A      192.0.2.2

NOERROR from ${server.at} over udp in N ms
`,
      err: '',
    });
  });

  it('prints the way that a question went', async () => {
    using server = await startServer(() => ({ addresses: ['192.0.2.1'], trace: UPSTREAM }));
    const { out } = await run('www.example', '--trace', '--server', server.at);
    assert.equal(
      out.split('\n').slice(4).join('\n'),
      `answered by upstream 10.0.0.2:53 of domain example, by the question of somebody else that was under way in 512.3 ms
  +0 ms     10.0.0.1:53   Do53/udp   overtaken in 500 ms
  +500 ms   10.0.0.2:53   DoT/tls    NOERROR in 12 ms
`,
    );
  });

  const ways: [answeredBy: DnsTrace['answeredBy'], more: Partial<DnsTrace>, text: string][] = [
    ['cache', { ageSeconds: 7 }, 'from the cache, 7 s old'],
    ['stale', { ageSeconds: 90 }, 'from the cache, 90 s old: no server answered, so it is out of date'],
    ['static', {}, 'from the hosts of the configuration'],
    ['member', {}, 'from the members of the cluster'],
    ['none', { domain: 'corp' }, 'by nobody of domain corp'],
  ];
  for (const [answeredBy, more, text] of ways)
    it(`tells an answer ${text}`, async () => {
      const trace = { answeredBy, tookMs: 1, tries: [], ...more };
      using server = await startServer(() => ({ addresses: ['192.0.2.1'], trace }));
      const { out } = await run('www.example', '--trace', '--server', server.at);
      assert.match(out, new RegExp(`^answered ${text} in 1 ms$`, 'm'));
    });

  it('says when a server tells no way', async () => {
    using server = await startServer(() => ({ addresses: ['192.0.2.1'] }));
    assert.match((await run('a', '--trace', '--server', server.at)).out, /\ntrace: none; only host DNS of Bloomery/);
  });

  it('prints JSON', async () => {
    using server = await startServer(() => ({ addresses: ['2001:db8::1'], trace: UPSTREAM }));
    const { out } = await run('www.example.', '-t', 'aaaa', '--trace', '-o', 'json', '--server', server.at);
    const { tookMs, ...result } = JSON.parse(out);
    assert.equal(typeof tookMs, 'number');
    assert.deepEqual(result, {
      name: 'www.example',
      type: 'AAAA',
      server: server.at,
      transport: 'udp',
      status: 'NOERROR',
      answers: [{ name: 'www.example', ttlSeconds: 30, type: 'AAAA', data: '2001:db8::1' }],
      authorities: [],
      trace: UPSTREAM,
    });
  });

  it('prints only the data with -o name', async () => {
    using server = await startServer(() => ({ addresses: ['192.0.2.1', '192.0.2.2'] }));
    assert.equal((await run('a', '-o', 'name', '--server', server.at)).out, '192.0.2.1\n192.0.2.2\n');
  });

  it('asks over TCP when the answer is too long, or at once when told to', async () => {
    const asked: string[] = [];
    using server = await startServer((_query, transport) => {
      asked.push(transport);
      return transport === 'udp' ? { flags: DNS_FLAG.TC } : { addresses: ['192.0.2.1'] };
    });
    assert.match((await run('a', '--server', server.at)).out, /NOERROR from .* over tcp/);
    assert.match((await run('a', '--tcp', '--server', server.at)).out, /NOERROR from .* over tcp/);
    assert.deepEqual(asked, ['udp', 'tcp', 'tcp']);
  });

  it('asks for the name as DNS writes it', async () => {
    const names: string[] = [];
    using server = await startServer((query) => {
      names.push(`${query.name} ${query.type}`);
      return { addresses: ['192.0.2.1'] };
    });
    await run('münchen.example', '--server', server.at);
    await run('.', '-t', 'NS', '--server', server.at);
    await run('a.example.', '-t', 'TYPE65', '--server', server.at);
    assert.deepEqual(names, ['xn--mnchen-3ya.example 1', ` ${DNS_TYPE.NS}`, 'a.example 65']);
  });

  const outcomes: [name: string, reply: Reply, code: number, out: RegExp][] = [
    ['no such name', { rcode: DNS_RCODE.NXDOMAIN }, 3, /^NXDOMAIN from /],
    ['no record of this type', {}, 3, /^NOERROR, but no A records from /],
    ['a server that could not tell', { rcode: DNS_RCODE.SERVFAIL }, 1, /^SERVFAIL from /],
    ['a server that would not tell', { rcode: DNS_RCODE.REFUSED }, 1, /^REFUSED from /],
  ];
  for (const [name, reply, code, out] of outcomes)
    it(`ends with ${code} for ${name}`, async () => {
      using server = await startServer(() => reply);
      const result = await run('www.example', '--server', server.at);
      assert.equal(result.code, code);
      assert.match(result.out, out);
    });

  it('says when nobody listens, over UDP and TCP', async () => {
    const server = await startServer(() => ({}));
    server[Symbol.dispose]();
    for (const args of [[], ['--tcp']]) {
      const { code, err } = await run('a', '--server', server.at, ...args);
      assert.equal(code, 6);
      assert.match(err, /^error: asking 127\.0\.0\.1:\d+ over (?:udp|tcp): nobody listens there\nBLM_DNS_NO_ANSWER /);
      assert.match(err, /\ntry: talosctl get dnsresolvecaches/);
    }
  });

  it('says when a server closes the connection', async () => {
    using server = await startServer(() => undefined);
    assert.match((await run('a', '--tcp', '--server', server.at)).err, /over tcp: the server closed the connection/);
  });

  const wrong: readonly (readonly string[])[] = [
    ['a', '--type', 'NOPE'],
    ['a', '--server', 'ns.example'],
    ['a', '--server', '127.0.0.1:0'],
    ['a', '--server', '[::1'],
    [`${'a'.repeat(64)}.example`],
    ['a', '-o', 'toml'],
  ];
  for (const args of wrong)
    it(`is wrong usage: ${args.join(' ').slice(0, 40)}`, async () => {
      const { code, err } = await run(...args);
      assert.equal(code, 2);
      assert.match(err, /BLM_CLI_USAGE/);
    });
});
