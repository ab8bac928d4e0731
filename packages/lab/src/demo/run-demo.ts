import { BloomeryError } from '@bloomery/ports';
import { rackMachine } from '../rack/machine-spec.ts';
import { isRackRunning } from '../rack/rack-network.ts';
import type { DemoPlaces } from './demo-places.ts';
import { linkTable } from './link-table.ts';
import { followMachines, powerOnMachines } from './run-journey.ts';
import { type Lab, startLab } from './start-lab.ts';

const TIMEOUT_MS = 20 * 60_000;

/** `make demo`: a plane and a rack of two bare machines, from power-on to both running from disk with their configuration. */
export async function runDemo(places: DemoPlaces, say: (line: string) => void): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new BloomeryError(
      'BLM_LAB_PROGRAM_FAILED',
      'starting the demo: network namespaces need root; try sudo make demo',
    );
  }
  if (await isRackRunning(places.network)) {
    throw new BloomeryError(
      'BLM_LAB_PROGRAM_FAILED',
      `starting the demo: one runs on this host already, in network namespace ${places.network.namespace}`,
    );
  }
  const startedAt = Date.now();
  const machines = [rackMachine(1, 'bios'), rackMachine(2, 'uefi', 'tunnel')];
  const lab = await startLab({ ...places, machines, say });
  const { log } = lab;
  const journey = { ...lab, machines, timeoutMs: TIMEOUT_MS, say } as const;
  await powerOnMachines(journey);
  await followMachines({ ...journey, until: 'SwitchedOff' });
  say('All machines are in the pool. Now a cluster asks for two of them.');
  say('The network drops what m2 sends to UDP 51821: its WireGuard has to go through the tunnel on port 8081.');
  await lab.askForTunnels();
  await lab.applyExample('cluster.yaml');
  await followMachines({ ...journey, until: 'Observed' });
  for (const machine of machines) {
    if (!log.has(machine.name, 'Wiped')) {
      throw new BloomeryError('BLM_LAB_STAGE_MISSED', `${machine.name} runs from disk but was never seen clean`);
    }
  }
  const tellLines = (title: string, lines: readonly string[]): void => {
    for (const line of ['', title, ...lines.map((text) => `  ${text}`)]) say(line);
  };
  const times = log.table(machines.map((machine) => machine.name));
  tellLines('Seconds since each machine was switched on (since its stage before):', times.split('\n'));
  const seen = machines.map((machine) => ({ name: machine.name, sight: lab.watch.sight(machine) }));
  tellLines('What the machines told over the management link:', linkTable(seen));
  tellLines('./bloomery logs metalmachine/forge-1 (its end):', await lastLogLines(lab, 'metalmachine/forge-1'));
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  tellLines(`Two machines are provisioned, ${seconds} s after the start. Everything keeps running.`, []);
  say('They run the Talos stand-in, a small program of the lab, because real Talos images are no part of it.');
  tellLines('Look further:', lookFurther(lab, places.rackDir));
  await lab.leave();
}

/** @throws BloomeryError BLM_LAB_STAGE_MISSED when there are none. */
async function lastLogLines(lab: Lab, about: string): Promise<string[]> {
  const lines = (await lab.bloomery('logs', about)).trimEnd().split('\n');
  if (lines[0] !== '') return lines.slice(-3).map((line) => line.slice(0, 140));
  throw new BloomeryError('BLM_LAB_STAGE_MISSED', `bloomery logs ${about}: it printed nothing`);
}

function lookFurther({ kubectlPath, plane }: Lab, rackDir: string): string[] {
  return [
    './bloomery get servers',
    './bloomery logs cluster/forge -f',
    './bloomery siderolink status',
    './bloomery timeline metalmachine/forge-1',
    './bloomery explain metalmachine/forge-2',
    `${kubectlPath} --kubeconfig ${plane.kubeconfig} get servers,metalmachines,serverbindings -A`,
    `tail -f ${rackDir}/m1/console.log`,
    'make demo-stop',
  ];
}
