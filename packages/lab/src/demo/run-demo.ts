import { BloomeryError } from '@bloomery/ports';
import { type MachineSpec, rackMachine } from '../rack/machine-spec.ts';
import { isRackRunning } from '../rack/rack-network.ts';
import type { DemoPlaces } from './demo-places.ts';
import { followCluster } from './follow-cluster.ts';
import { linkTable } from './link-table.ts';
import { followMachines, powerOnMachines } from './run-journey.ts';
import { type Lab, startLab } from './start-lab.ts';
import { askWorkload, type ClusterFiles, saveClusterFiles } from './workload-access.ts';

const TIMEOUT_MS = 20 * 60_000;
/** Once all machines have joined, everything else is a matter of seconds. */
const CLUSTER_TIMEOUT_MS = 3 * 60_000;
const CLUSTER = 'forge';

/** `make demo`: a plane and a rack of two bare machines, from power-on to a running cluster of both. */
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
  await followMachines({ ...journey, until: ['SwitchedOff'] });
  say('All machines are in the pool. Now a cluster asks for two of them: a control plane and a worker.');
  say('The network drops what m2 sends to UDP 51821: its WireGuard has to go through the tunnel on port 8081.');
  await lab.askForTunnels();
  await lab.applyExample('cluster.yaml');
  const cluster = followCluster({ name: CLUSTER, sight: () => lab.watch.cluster(CLUSTER), say });
  await followMachines({ ...journey, until: ['Observed', 'Joined'], meanwhile: async () => cluster.note() });
  await cluster.complete(CLUSTER_TIMEOUT_MS);
  for (const machine of machines) {
    if (!log.has(machine.name, 'Wiped')) {
      throw new BloomeryError('BLM_LAB_STAGE_MISSED', `${machine.name} runs from disk but was never seen clean`);
    }
  }
  await tellTheStory(lab, { places, machines, startedAt, say });
  await lab.leave();
}

interface Story {
  readonly places: DemoPlaces;
  readonly machines: readonly MachineSpec[];
  readonly startedAt: number;
  readonly say: (line: string) => void;
}

/** What there is now, and where to look further. */
async function tellTheStory(lab: Lab, { places, machines, startedAt, say }: Story): Promise<void> {
  const tellLines = (title: string, text: string | readonly string[]): void => {
    const lines = typeof text === 'string' ? text.trimEnd().split('\n') : text;
    for (const line of ['', title, ...lines.map((one) => `  ${one}`)]) say(line);
  };
  const times = lab.log.table(machines.map((machine) => machine.name));
  tellLines('Seconds since each machine was switched on (since its stage before):', times);
  const seen = machines.map((machine) => ({ name: machine.name, sight: lab.watch.sight(machine) }));
  tellLines('What the machines told over the management link:', linkTable(seen));
  tellLines(`./bloomery tree ${CLUSTER}:`, await lab.bloomery('tree', CLUSTER));
  const files = await saveClusterFiles(lab, CLUSTER, places.rackDir);
  const { nodes, services } = await askWorkload(lab, files, places.sourceDir);
  tellLines(`kubectl get nodes, with the kubeconfig that ${CLUSTER} got:`, nodes);
  tellLines(`What the machines say of themselves, asked with the talosconfig that ${CLUSTER} got:`, services);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  tellLines(`Cluster ${CLUSTER} is ready, ${seconds} s after the start. Everything keeps running.`, []);
  say('Its machines run the Talos stand-in, a small program of the lab, because real Talos images are no part of it.');
  say("Talos API and etcd are real. The cluster's Kubernetes API is a stand-in too: it knows Nodes, and runs no pods.");
  tellLines('Look further:', lookFurther(lab, files, places.rackDir));
}

function lookFurther({ kubectlPath, plane, rack }: Lab, files: ClusterFiles, rackDir: string): string[] {
  return [
    './bloomery get servers',
    `./bloomery logs cluster/${CLUSTER} -f`,
    './bloomery siderolink status',
    `./bloomery tree ${CLUSTER}`,
    './bloomery explain --all',
    `${kubectlPath} --kubeconfig ${plane.kubeconfig} get cluster-api,servers -A`,
    `ip netns exec ${rack.network.namespace} ${kubectlPath} --kubeconfig ${files.kubeconfig} get nodes -o wide`,
    `tail -f ${rackDir}/m1/console.log`,
    'make demo-stop',
  ];
}
