import { BloomeryError } from '@bloomery/ports';
import { rackMachine } from '../rack/machine-spec.ts';
import type { DemoPlaces } from './demo-places.ts';
import { followMachines, powerOnMachines } from './run-journey.ts';
import { startLab } from './start-lab.ts';

const TIMEOUT_MS = 20 * 60_000;

/** `make demo`: a plane and a rack of two bare machines, from power-on to both running from disk with their configuration. */
export async function runDemo(places: DemoPlaces, say: (line: string) => void): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new BloomeryError(
      'BLM_LAB_PROGRAM_FAILED',
      'starting the demo: network namespaces need root; try sudo make demo',
    );
  }
  const startedAt = Date.now();
  const machines = [rackMachine(1, 'bios'), rackMachine(2, 'uefi')];
  const { rackDir } = places;
  const lab = await startLab({ ...places, machines, say });
  const { rack, plane, watch, log } = lab;
  const journey = { rack, plane, watch, log, machines, timeoutMs: TIMEOUT_MS, say } as const;
  await powerOnMachines(journey);
  await followMachines({ ...journey, until: 'SwitchedOff' });
  say('All machines are in the pool. Now a cluster asks for two of them.');
  await lab.applyExample('cluster.yaml');
  await followMachines({ ...journey, until: 'RunsFromDisk' });
  for (const machine of machines) {
    if (!log.has(machine.name, 'Wiped')) {
      throw new BloomeryError('BLM_LAB_STAGE_MISSED', `${machine.name} runs from disk but was never seen clean`);
    }
  }
  say('');
  say('Seconds since each machine was switched on (since its stage before):');
  for (const line of log.table(machines.map((machine) => machine.name)).split('\n')) say(`  ${line}`);
  say('');
  say(
    `Two machines are provisioned, ${((Date.now() - startedAt) / 1000).toFixed(0)} s after the start. Everything keeps running.`,
  );
  say('They run the Talos stand-in, a small program of the lab, because real Talos images are no part of it.');
  say('');
  say('Look further:');
  for (const line of lookFurther(lab.kubectlPath, plane.kubeconfig, rackDir)) say(`  ${line}`);
  await lab.leave();
}

function lookFurther(kubectl: string, kubeconfig: string, rackDir: string): string[] {
  return [
    './bloomery get servers',
    './bloomery timeline metalmachine/forge-1',
    './bloomery explain metalmachine/forge-2',
    `${kubectl} --kubeconfig ${kubeconfig} get servers,metalmachines,serverbindings -A`,
    `tail -f ${rackDir}/m1/console.log`,
    'make demo-stop',
  ];
}
