import { createMemoryClient } from '@bloomery/kube/testing';
import type { Server } from '@bloomery/model';
import { createPowerClients } from '@bloomery/plane';
import { silentLog, systemClock } from '@bloomery/ports';
import {
  SIMULATOR_USER,
  startIpmiSimulator,
  whyNoSimulator,
} from '../packages/plane/src/power/testing/ipmi-simulator.ts';
import { type BenchResult, median } from './bench-result.ts';

const CALLS = 50;

/** How long the plane needs for one IPMI call: reading the power of a BMC whose cipher suite is known. */
export async function benchPower(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const why = whyNoSimulator();
  if (why !== undefined) {
    say(`power: left out: ${why}`);
    return [];
  }
  await using bmc = await startIpmiSimulator();
  const client = createMemoryClient();
  await using powers = createPowerClients({ client, clock: systemClock, log: silentLog, spacingMs: 0 });
  const { user, password: pass } = SIMULATOR_USER;
  const machine: Server = {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name: 'bench' },
    spec: { accepted: true, bmc: { endpoint: bmc.host, port: bmc.port, user, pass } },
  };
  const power = await powers.of(machine);
  await power.isPoweredOn();
  const calls: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const startedMs = performance.now();
    await power.isPoweredOn();
    calls.push(performance.now() - startedMs);
  }
  say(`power: ${CALLS} calls, the slowest ${Math.max(...calls).toFixed(0)} ms`);
  return [{ name: 'IPMI call against ipmi_sim', unit: 'ms', ours: median(calls), target: { atMost: 150 } }];
}
