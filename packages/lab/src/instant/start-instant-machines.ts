import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ObjectClient, startControllers } from '@bloomery/kube';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { createFakeClusterController } from './fake-cluster-controller.ts';
import { type Contract, installFakeKinds } from './fake-kinds.ts';
import { createFakeMachineController } from './fake-machine-controller.ts';
import { createInstantWorld, type InstantWorld } from './instant-world.ts';

export interface InstantMachinesOptions {
  /** Machines that are there already, of the provider of another management cluster; they outlive this one. */
  readonly world?: InstantWorld;
  /** Which contract the kinds follow; v1beta1 unless given. */
  readonly contract?: Contract;
  /** Before each step of a machine; 0 unless given. */
  readonly stepDelayMs?: number;
}

export interface InstantMachinesDeps {
  /** The management cluster. */
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** A running simulation. */
export interface InstantMachines extends AsyncDisposable {
  /** What is simulated, to look into it and to break it. */
  readonly world: InstantWorld;
}

/**
 * An infrastructure provider whose machines need no time: FakeCluster, FakeMachine and FakeMachineTemplate of group
 * infrastructure.cluster.x-k8s.io, installed as a user's definitions. Every machine serves the Talos API at an address of its
 * own in 127.0.0.0/8 with the certificates of its own configuration; bootstrapped clusters have a Kubernetes API with Nodes.
 * Resolves when it works; what is simulated is lost with the process.
 */
export async function startInstantMachines(
  { contract = 'v1beta1', stepDelayMs = 0, world: given }: InstantMachinesOptions,
  { client, clock, log, random }: InstantMachinesDeps,
): Promise<InstantMachines> {
  const dir = await mkdtemp(join(tmpdir(), 'bloomery-instant-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  await installFakeKinds({ client, clock }, contract);
  const world = given ?? cleanup.use(createInstantWorld({ clock, log, random, dir, stepDelayMs }));
  const stop = new AbortController();
  const controllers = startControllers(
    {
      client,
      clock,
      log,
      random: () => (random(1)[0] ?? 0) / 256,
      events: { record: () => {} },
      controllers: [
        createFakeClusterController(world, contract),
        createFakeMachineController({ world, contract, stepDelayMs }),
      ],
    },
    stop.signal,
  );
  cleanup.use(controllers);
  await controllers.ready;
  const owned = cleanup.move();
  return { world, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
