import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { benchRatio, benchTable, reachesTarget } from './bench-result.ts';
import { benchBoot } from './boot.ts';
import { benchClusters } from './clusters.ts';
import { benchConfig } from './config.ts';
import { benchDns } from './dns.ts';
import { benchInventory } from './inventory.ts';
import { benchKubeApi } from './kube-api.ts';
import { benchNetlink } from './netlink.ts';
import { benchNode } from './node.ts';
import { benchPlane } from './plane.ts';
import { benchPower } from './power.ts';
import { benchSiderolink } from './siderolink.ts';
import { benchStore } from './store.ts';

/** All benches, or those that are named: `bench/main.ts [boot|plane|inventory|power|store|kube-api|siderolink|clusters|config|dns|node] …`. Table on stdout, JSON in bench/out/. */
const BENCHES = {
  boot: benchBoot,
  plane: benchPlane,
  inventory: benchInventory,
  power: benchPower,
  store: benchStore,
  'kube-api': benchKubeApi,
  siderolink: benchSiderolink,
  clusters: benchClusters,
  config: benchConfig,
  netlink: benchNetlink,
  dns: benchDns,
  node: benchNode,
} as const;

const names = process.argv.slice(2);
const out = resolve(import.meta.dirname, 'out');
mkdirSync(out, { recursive: true });
const load = loadavg();
const results = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const startedMs = performance.now();
  const found = await bench((line) => process.stderr.write(`${line}\n`));
  const tookS = Math.round((performance.now() - startedMs) / 1000);
  process.stderr.write(`${name}: took ${tookS} s\n`);
  results.push(...found);
  const rows = found.map((result) => ({ ...result, ratio: benchRatio(result), ok: reachesTarget(result) }));
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify({ bench: name, load, tookS, results: rows }, null, 2)}\n`);
}
process.stdout.write(`${benchTable(results)}\nload average at the start: ${load.map((l) => l.toFixed(2)).join(' ')}\n`);
