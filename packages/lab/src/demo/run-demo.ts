import { join } from 'node:path';
import { loadKubeconfig } from '@bloomery/kube';
import { BloomeryError } from '@bloomery/ports';
import { buildBootImages } from '../images/build-images.ts';
import { rackMachine } from '../rack/machine-spec.ts';
import { createRack } from '../rack/rack.ts';
import type { DemoPlaces } from './demo-places.ts';
import { createJourneyLog } from './journey-log.ts';
import { findKubectl, runKubectl } from './kubectl.ts';
import { watchMachines } from './machine-watch.ts';
import { createRackPlane } from './rack-plane.ts';
import { followMachines, powerOnMachines } from './run-journey.ts';
import { startSiteFiles } from './site-files.ts';

const TIMEOUT_MS = 20 * 60_000;

/** `make demo`: a plane and a rack of two bare machines, from power-on to both running from disk with their configuration. */
export async function runDemo(places: DemoPlaces, say: (line: string) => void): Promise<void> {
  const { sourceDir, cacheDir, rackDir, network } = places;
  if (process.getuid?.() !== 0) {
    throw new BloomeryError(
      'BLM_LAB_PROGRAM_FAILED',
      'starting the demo: network namespaces need root; try sudo make demo',
    );
  }
  const startedAt = Date.now();
  const images = await buildBootImages({ cacheDir, sourceDir, say });
  const machines = [rackMachine(1, 'bios'), rackMachine(2, 'uefi')];
  const rack = await createRack({ network, dir: rackDir, machines });
  startSiteFiles(rack, images.imagesDir);
  say(`rack: ${machines.length} machines with BMCs and a DHCP server in network namespace ${network.namespace}`);
  const plane = createRackPlane({ rack, sourceDir, imagesDir: images.imagesDir, flags: ['--auto-accept-servers'] });
  say(`plane: ready in ${await plane.start()} ms, data in ${plane.dataDir}`);
  const kubectl = findKubectl(cacheDir);
  const apply = async (file: string): Promise<void> => {
    const said = await runKubectl(kubectl, plane.kubeconfig, ['apply', '-f', join(sourceDir, 'examples', file)]);
    for (const line of said.trim().split('\n')) say(`kubectl: ${line}`);
  };
  await apply('environment.yaml');
  await apply('serverclass.yaml');
  await using watch = watchMachines(rack, await loadKubeconfig(plane.kubeconfig));
  const log = createJourneyLog();
  const journey = { rack, watch, log, machines, timeoutMs: TIMEOUT_MS, say } as const;
  await powerOnMachines(journey);
  await followMachines({ ...journey, until: 'SwitchedOff' });
  say('All machines are in the pool. Now a cluster asks for two of them.');
  await apply('cluster.yaml');
  await followMachines({ ...journey, until: 'RunsFromDisk' });
  for (const machine of machines) {
    if (!log.has(machine.name, 'Wiped')) {
      throw new BloomeryError('BLM_LAB_STAGE_MISSED', `${machine.name} runs from disk but was never seen clean`);
    }
  }
  say('');
  say('Seconds since each machine was switched on (since its stage before):');
  say(log.table(machines.map((machine) => machine.name)));
  say('');
  say(
    `Two machines are provisioned, ${((Date.now() - startedAt) / 1000).toFixed(0)} s after the start. Everything keeps running.`,
  );
  say('They run the Talos stand-in, a small program of the lab, because real Talos images are no part of it.');
  say('');
  say('Look further:');
  for (const line of lookFurther(kubectl, plane.kubeconfig, rackDir)) say(`  ${line}`);
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
