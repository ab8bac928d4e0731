import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadKubeconfig } from '@bloomery/kube';
import { ANNOTATIONS } from '@bloomery/model';
import { parseAllDocuments } from 'yaml';
import { buildBootImages } from '../images/build-images.ts';
import type { MachineSpec } from '../rack/machine-spec.ts';
import { createRack, type Rack, stopRack } from '../rack/rack.ts';
import type { RackNetwork } from '../rack/rack-network.ts';
import { runProgram } from '../run-program.ts';
import { createJourneyLog, type JourneyLog } from './journey-log.ts';
import { findKubectl, runKubectl } from './kubectl.ts';
import { type MachineWatch, watchMachines } from './machine-watch.ts';
import { createRackPlane, type RackPlane } from './rack-plane.ts';
import { startSiteFiles } from './site-files.ts';

export interface LabOptions {
  readonly network: RackNetwork;
  /** Disks, logs, process numbers, the plane's data. Emptied. */
  readonly rackDir: string;
  readonly sourceDir: string;
  readonly cacheDir: string;
  readonly machines: readonly MachineSpec[];
  /** Further flags of `bloomery serve`. */
  readonly planeFlags?: readonly string[];
  readonly say: (line: string) => void;
}

/** A rack with a running plane that machines join by themselves, the examples' Environment and ServerClass applied. */
export interface Lab {
  readonly rack: Rack;
  readonly plane: RackPlane;
  readonly watch: MachineWatch;
  readonly log: JourneyLog;
  /** Path of the kubectl that is used. */
  readonly kubectlPath: string;
  kubectl(...args: readonly string[]): Promise<string>;
  /** Run `./bloomery` for this plane and return what it printed. */
  bloomery(...args: readonly string[]): Promise<string>;
  /** Apply a file of `examples/`, or only its objects of these names. */
  applyExample(file: string, names?: readonly string[]): Promise<void>;
  /** Tell the plane which machines have to tunnel: those that the network keeps from WireGuard's port. They must be registered. */
  askForTunnels(): Promise<void>;
  /** End watches and connections of this process; rack and plane go on. */
  leave(): Promise<void>;
  /** End everything. */
  stop(): Promise<void>;
}

/** Build the images, the rack and the plane. All machines are off. A lab that cannot be started leaves only its logs. */
export async function startLab(options: LabOptions): Promise<Lab> {
  try {
    return await buildLab(options);
  } catch (error) {
    await stopRack(options.network, options.rackDir);
    throw error;
  }
}

async function buildLab(options: LabOptions): Promise<Lab> {
  const { network, rackDir, sourceDir, cacheDir, machines, planeFlags = [], say } = options;
  const { imagesDir } = await buildBootImages({ cacheDir, sourceDir, say });
  const rack = await createRack({ network, dir: rackDir, machines });
  startSiteFiles(rack, imagesDir);
  say(`rack: ${machines.length} machines with BMCs and a DHCP server in network namespace ${network.namespace}`);
  // The rack has no way out: without this the Environment `default` would ask for Talos Linux for ever.
  const environment = join(sourceDir, 'examples/environment.yaml');
  const plane = createRackPlane({
    rack,
    sourceDir,
    imagesDir,
    flags: ['--auto-accept-servers', '--environment', environment, ...planeFlags],
  });
  say(`plane: ready in ${await plane.start()} ms, data in ${plane.dataDir}`);
  const kubectlPath = findKubectl(cacheDir);
  const kubectl = (...args: readonly string[]): Promise<string> => runKubectl(kubectlPath, plane.kubeconfig, args);
  const bloomery = async (...args: readonly string[]): Promise<string> =>
    (await runProgram(join(sourceDir, 'bloomery'), [...args, '--kubeconfig', plane.kubeconfig])).toString();
  const applyExample = async (file: string, names?: readonly string[]): Promise<void> => {
    const path = manifestPath({ file: join(sourceDir, 'examples', file), dir: rackDir, names });
    for (const line of (await kubectl('apply', '-f', path)).trim().split('\n')) say(`kubectl: ${line}`);
  };
  await applyExample('environment.yaml');
  await applyExample('serverclass.yaml');
  const askForTunnels = async (): Promise<void> => {
    for (const { name, uuid } of machines.filter((machine) => machine.link === 'tunnel')) {
      await kubectl('annotate', 'server', uuid, `${ANNOTATIONS.siderolinkTunnel}=true`);
      say(`kubectl: server of ${name} annotated ${ANNOTATIONS.siderolinkTunnel}=true`);
    }
  };
  const watch = watchMachines(rack, await loadKubeconfig(plane.kubeconfig), plane.collectedLogs);
  const leave = async (): Promise<void> => {
    await watch[Symbol.asyncDispose]();
  };
  return {
    rack,
    plane,
    watch,
    log: createJourneyLog(),
    kubectlPath,
    kubectl,
    bloomery,
    applyExample,
    askForTunnels,
    leave,
    stop: async () => {
      await leave();
      await stopRack(network, rackDir);
    },
  };
}

interface ManifestChoice {
  readonly file: string;
  readonly dir: string;
  readonly names: readonly string[] | undefined;
}

function manifestPath({ file, dir, names }: ManifestChoice): string {
  if (names === undefined) return file;
  const chosen = parseAllDocuments(readFileSync(file, 'utf8'))
    .filter((document) => names.includes(String(document.getIn(['metadata', 'name']))))
    .map((document) => document.toString({ directives: false }));
  const path = join(dir, 'manifest.yaml');
  writeFileSync(path, chosen.join('---\n'));
  return path;
}
