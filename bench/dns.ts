import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchResult, median } from './bench-result.ts';
import { answerTimeP99, type DnsLoad, loadFully } from './dns/dns-load.ts';
import {
  bundleOurs,
  type DnsServer,
  hotNames,
  startCoreDns,
  startDnsmasq,
  startOurs,
  startSource,
  startUnboundForwarder,
  usageOf,
  whyNoDnsBench,
} from './dns/dns-servers.ts';

const ROUNDS = 5;
const LOAD_S = 2;
const LATENCY_S = 1;
/** A moment in which nobody else wants the processor comes sooner or later. */
const LATENCIES = 4;

interface Measured {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly p99Us: number;
  readonly rssMiB: number;
}

/** The host's name server beside CoreDNS, dnsmasq and unbound: a thousand names that all have in their caches, in turn. */
export async function benchDns(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const why = whyNoDnsBench();
  if (why !== false) {
    say(`dns: left out: ${why}`);
    return [];
  }
  const dir = mkdtempSync(join(tmpdir(), 'blm-dns-'));
  const servers: DnsServer[] = [];
  try {
    const names = join(dir, 'names');
    writeFileSync(
      names,
      hotNames()
        .map((name) => `${name} A\n`)
        .join(''),
    );
    await bundleOurs();
    const source = await startSource(dir);
    servers.push(source);
    const measured: DnsServer[] = [];
    for (const start of [
      () => startOurs('native', source.port),
      () => startOurs('portable', source.port),
      () => startCoreDns(dir, source.port),
      () => startDnsmasq(dir, source.port),
      () => startUnboundForwarder(dir, source.port),
    ]) {
      const server = await start();
      servers.push(server);
      measured.push(server);
    }
    const figures = await measureInTurn(measured, names, say);
    return resultsOf(figures);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measureInTurn(
  servers: readonly DnsServer[],
  names: string,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, Measured>> {
  for (const server of servers) await loadFully(server, names, 1);
  const loads = new Map<string, DnsLoad[]>(servers.map(({ name }) => [name, []]));
  const times = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const server of servers) {
      const load = await loadFully(server, names, LOAD_S);
      const p99s = [];
      for (let i = 0; i < LATENCIES; i++) p99s.push(await answerTimeP99(server, names, LATENCY_S));
      const p99 = Math.min(...p99s);
      loads.get(server.name)?.push(load);
      times.get(server.name)?.push(p99);
      say(
        `dns: round ${round}: ${server.name}: ${Math.round(load.perSecond)} q/s, ${Math.round(load.perCpuSecond)} per CPU second, p99 ${p99} us, ${load.lost} lost`,
      );
    }
  }
  return new Map(
    servers.map(({ name, pid }) => [
      name,
      {
        perSecond: median((loads.get(name) ?? []).map((load) => load.perSecond)),
        perCpuSecond: median((loads.get(name) ?? []).map((load) => load.perCpuSecond)),
        // Another process that takes the processor for a moment makes a round slow, none makes it faster than it is.
        p99Us: Math.min(...(times.get(name) ?? [])),
        rssMiB: usageOf(pid).rssMiB,
      },
    ]),
  );
}

function resultsOf(figures: ReadonlyMap<string, Measured>): readonly BenchResult[] {
  const of = (name: string): Measured =>
    figures.get(name) ?? { perSecond: Number.NaN, perCpuSecond: Number.NaN, p99Us: Number.NaN, rssMiB: Number.NaN };
  const ours = of('ours');
  const perCpuSecond = (name: string, own: string, atLeast: number): BenchResult => ({
    name: `DNS cached, ${own}, answers per CPU second`,
    unit: 'q/s',
    ours: of(own).perCpuSecond,
    peer: { name, value: of(name).perCpuSecond },
    target: { atLeast },
  });
  const perSecond = (name: string): BenchResult => ({
    name: 'DNS cached, ours, answers per second',
    unit: 'q/s',
    ours: ours.perSecond,
    peer: { name, value: of(name).perSecond },
  });
  return [
    perCpuSecond('CoreDNS', 'ours', 2),
    perCpuSecond('dnsmasq', 'ours', 1),
    perCpuSecond('unbound', 'ours', 1),
    perCpuSecond('CoreDNS', 'ours, portable', 1),
    ...['CoreDNS', 'dnsmasq', 'unbound'].map(perSecond),
    { name: 'DNS p99 at 10k q/s', unit: 'us', ours: ours.p99Us, target: { atMost: 150 } },
    {
      name: 'DNS p99 at 10k q/s',
      unit: 'us',
      ours: ours.p99Us,
      peer: { name: 'dnsmasq', value: of('dnsmasq').p99Us },
      target: { atMost: 1.5 },
    },
    {
      name: 'DNS memory, the server alone',
      unit: 'MiB',
      ours: ours.rssMiB,
      peer: { name: 'CoreDNS', value: of('CoreDNS').rssMiB },
    },
  ];
}
