import { type BoundAddress, type Clock, type Listen, type Logger, silentLog } from '@bloomery/ports';
import {
  createMachineService,
  obtainServerCertificate,
  readMachineIdentity,
  type ServerCertificate,
  startTalosServer,
} from '../api/index.ts';
import { createCertificateAuthority, pkcs8Pem } from '../certificates/index.ts';
import { readConfig } from '../config/index.ts';
import type { PemPair } from '../secrets/index.ts';
import { field, isYamlMap, scalarString } from '../yaml/index.ts';
import { breakableService, type CallFaults, type RecordedCall } from './call-faults.ts';
import type { FakeEtcd, FakeEtcdMachine } from './fake-etcd.ts';
import { fakeKubeconfig } from './fake-kubeconfig.ts';
import { createFakeMachine, type FakeMachine, type MachineOrder } from './fake-machine.ts';

/** A machine that does not exist but answers. */
export interface FakeTalosNodeOptions {
  /** Port 50000 on machines; 0 picks a free one. */
  readonly listen: Listen;
  /** The machine configuration, YAML: its type, its certificates, its names. */
  readonly config: string;
  /** The etcd of its cluster; workers take no part in it. */
  readonly etcd: FakeEtcd;
  readonly clock: Clock;
  /** Out of the configuration unless given. */
  readonly hostname?: string;
  readonly talosVersion?: string;
  /** Signs the server certificate of a worker, which has no key of its own; a real one asks trustd. */
  readonly authority?: PemPair;
  /** The server is certified by somebody else: callers must not believe it. */
  readonly wrongCa?: boolean;
  readonly log?: Logger;
  readonly onOrder?: (order: MachineOrder) => void;
}

/** A fake machine that serves the Talos API: real protobufs, real mTLS, simulated etcd. */
export interface FakeTalosNode extends AsyncDisposable {
  readonly address: BoundAddress;
  readonly hostname: string;
  /** In the order in which they came, refused ones too. */
  readonly calls: readonly RecordedCall[];
  readonly faults: CallFaults;
  readonly machine: FakeMachine;
  /** undefined on workers. */
  readonly etcd: FakeEtcdMachine | undefined;
  /** What it was told to do with itself, in order. */
  readonly orders: readonly MachineOrder[];
  /** Power off: connections break, its etcd stops. Dispose it when it never comes back. */
  powerOff(): Promise<void>;
  /** Power on again, at the same address. */
  powerOn(): Promise<void>;
}

const DEFAULT_VERSION = 'v1.13.9';
const LIFE_MS = 86_400_000;

/** Start a fake machine that has booted with its configuration. */
export async function startFakeTalosNode(options: FakeTalosNodeOptions): Promise<FakeTalosNode> {
  const { config, etcd, clock, log = silentLog } = options;
  const hostname = options.hostname ?? hostnameOf(config) ?? `talos-${options.listen.host.replaceAll(/[.:]/g, '-')}`;
  const identity = readMachineIdentity(config);
  const certificate = await certify(options, hostname);
  const member = identity.isControlPlane ? etcd.machine(hostname, options.listen.host) : undefined;
  const orders: MachineOrder[] = [];
  const calls: RecordedCall[] = [];
  const machine = createFakeMachine({
    hostname,
    talosVersion: options.talosVersion ?? DEFAULT_VERSION,
    etcd: member,
    config,
    clock,
    kubeconfig: (current) => fakeKubeconfig(current, clock),
    onOrder: (order) => {
      orders.push(order);
      options.onOrder?.(order);
    },
  });
  let server: Awaited<ReturnType<typeof startTalosServer>> | undefined;
  const cut = (peer: BoundAddress): void => server?.cut(peer);
  const { service, faults } = breakableService(createMachineService(machine.actions), { clock, cut, calls });
  const start = (listen: Listen) =>
    startTalosServer(listen, { services: [service], certificate, clientCertificates: 'required', clock, log });
  server = await start(options.listen);
  const { address } = server;
  const powerOff = async (): Promise<void> => {
    member?.stop();
    const old = server;
    server = undefined;
    await old?.[Symbol.asyncDispose]();
  };
  return {
    address,
    hostname,
    calls,
    faults,
    machine,
    etcd: member,
    orders,
    powerOff,
    powerOn: async () => {
      server ??= await start(address);
      member?.start();
    },
    [Symbol.asyncDispose]: async () => {
      await powerOff();
      member?.destroy();
    },
  };
}

async function certify(options: FakeTalosNodeOptions, hostname: string): Promise<ServerCertificate> {
  const { config, authority, clock, listen } = options;
  const identity = readMachineIdentity(config);
  const signer = options.wrongCa === true ? await strangersAuthority(clock) : authority;
  const source = { hostname, addresses: [listen.host], clock };
  const made = await obtainServerCertificate({
    ...source,
    identity: signer === undefined ? identity : { ...identity, ca: signer.crt, caKey: signer.key },
  });
  return { ...made, ca: identity.ca };
}

async function strangersAuthority(clock: Clock): Promise<PemPair> {
  const { certificatePem, key } = await createCertificateAuthority({
    subject: { organizations: ['talos'] },
    algorithm: 'ed25519',
    notBefore: new Date(clock.nowMs() - LIFE_MS),
    notAfter: new Date(clock.nowMs() + LIFE_MS),
  });
  return { crt: certificatePem, key: pkcs8Pem(key) };
}

/** Of HostnameConfig, else of `machine.network.hostname`. */
function hostnameOf(config: string): string | undefined {
  const documents = readConfig(config, 'lenient');
  const named = documents.find(({ kind }) => kind === 'HostnameConfig')?.tree;
  const hostname = named === undefined ? undefined : scalarString(field(named, 'hostname'));
  if (hostname !== undefined) return hostname;
  for (const { tree } of documents) {
    const machine = field(tree, 'machine');
    const network = isYamlMap(machine) ? field(machine, 'network') : undefined;
    const found = isYamlMap(network) ? scalarString(field(network, 'hostname')) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
