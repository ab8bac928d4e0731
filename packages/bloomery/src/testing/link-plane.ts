import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { machine, metalMachine, type ServerBinding, serverBinding } from '@bloomery/model';
import { eventually } from './peer-process.ts';
import { type ServeProcess, startServe } from './serve-process.ts';
import { makeTestNamespace, type TestNamespace } from './test-namespace.ts';

/** A plane with WireGuard in a network namespace of its own. */
export interface LinkPlane {
  readonly namespace: TestNamespace;
  readonly serve: () => ServeProcess;
  readonly client: RemoteClient;
  /** What a machine has as `siderolink.api`. */
  readonly api: string;
  /** Allocate a machine: a ServerBinding of this name, with cluster label and a MetalMachine that a Machine owns. */
  allocate(name: string, machineName?: string): Promise<void>;
  binding(name: string): Promise<ServerBinding>;
  /** Lines of the collected kernel logs, also of rotated files, oldest first. */
  logLines(file?: 'serverlogs' | 'serverevents'): readonly Readonly<Record<string, unknown>>[];
  /** Wait until the collected kernel log has a line that passes. */
  logged(
    what: string,
    passes: (line: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Start it again on the same data and ports after it has ended. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

const PORT = 8081;

/** Start one. Its machine port is 8081 and its WireGuard port 51821, so both are the same after a restart. */
export async function startLinkPlane(...args: readonly string[]): Promise<LinkPlane> {
  const namespace = makeTestNamespace();
  const { host } = namespace;
  const home = mkdtempSync(join(tmpdir(), 'bloomery-link-'));
  const dir = join(home, 'data');
  const listen = [
    '--kube-listen',
    `${host}:6443`,
    '--listen',
    `${host}:${PORT}`,
    '--siderolink-listen',
    `${host}:51821`,
  ];
  const start = (): Promise<ServeProcess> =>
    withReceiveBuffer(() =>
      startServe({
        dir,
        within: namespace.within,
        args: [...listen, '--advertise', host, '--wireguard', 'userspace', ...args],
      }),
    );
  let serve: ServeProcess;
  try {
    serve = await start();
  } catch (error) {
    namespace.end();
    throw error;
  }
  const client = createRemoteClient(await loadKubeconfig(serve.kubeconfig));
  const logLines: LinkPlane['logLines'] = (file = 'serverlogs') => readLines(join(dir, 'logs'), `${file}.jsonl`);
  return {
    namespace,
    serve: () => serve,
    client,
    api: `${host}:${PORT}`,
    allocate: (name, machineName) => allocate(client, name, machineName ?? `machine-${name}`),
    binding: (name) => client.get(serverBinding, { name }),
    logLines,
    logged: (what, passes) =>
      eventually(
        what,
        () => logLines().find(passes),
        () => JSON.stringify(logLines().slice(-5)),
      ),
    restart: async () => {
      serve = await start();
    },
    end: async () => {
      await client[Symbol.asyncDispose]();
      await serve.stop();
      namespace.end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const RECEIVE_BUFFER = '/proc/sys/net/core/rmem_default';
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** What a plane does for wireguard-go's socket by itself where it may, which is not in a namespace. */
async function withReceiveBuffer<T>(start: () => Promise<T>): Promise<T> {
  const before = readFileSync(RECEIVE_BUFFER, 'utf8');
  if (Number(before) >= RECEIVE_BUFFER_BYTES) return start();
  writeFileSync(RECEIVE_BUFFER, String(RECEIVE_BUFFER_BYTES));
  try {
    return await start();
  } finally {
    writeFileSync(RECEIVE_BUFFER, before);
  }
}

async function allocate(client: RemoteClient, name: string, machineName: string): Promise<void> {
  const namespace = 'default';
  const clusterName = 'management-cluster';
  const infrastructure = {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'MetalMachine',
    name: machineName,
  };
  const owner = await client.create(machine, {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Machine',
    metadata: { name: `${machineName}-owner`, namespace },
    spec: { clusterName, bootstrap: { dataSecretName: 'none' }, infrastructureRef: { ...infrastructure, namespace } },
  });
  const { uid = '' } = owner.metadata;
  const ownerReference = { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid };
  await client.create(metalMachine, {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'MetalMachine',
    metadata: { name: machineName, namespace, ownerReferences: [ownerReference] },
    spec: {},
  });
  await client.create(serverBinding, {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: { name, labels: { 'cluster.x-k8s.io/cluster-name': clusterName } },
    spec: { metalMachineRef: { name: machineName, namespace } },
  });
}

function readLines(folder: string, name: string): readonly Readonly<Record<string, unknown>>[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file === name || file.startsWith(`${name}.`));
  return (
    files
      .toSorted((a, b) => Number(b.slice(name.length + 1)) - Number(a.slice(name.length + 1)))
      // What follows the last line end is a line that is being written.
      .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1))
      .map((line) => JSON.parse(line))
  );
}
