import {
  type Controller,
  createObjectCache,
  findObject,
  type ObjectClient,
  type RunningControllers,
  startControllers,
} from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import { type KubeObject, metalMachine, type Server, server, serverBinding } from '@bloomery/model';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { createServerBindingController } from '../../allocation/index.ts';
import type { BootSessionStore } from '../../boot/boot-session-file.ts';
import { createBootSessions } from '../../boot/boot-session-registry.ts';
import type { BootRecord } from '../../boot/boot-session-state.ts';
import type { BootSessions } from '../../boot/boot-sessions.ts';
import { fakePower } from '../../power/fake-power.ts';
import type { AgentServiceDeps } from '../agent/agent-deps.ts';
import { createServerController } from '../server/reconcile.ts';
import { createWipeBudget } from '../wipe-guard.ts';
import { createSimulatedMachine, type SimulatedMachine } from './simulated-machine.ts';

/** What a machine sees of the plane, and what its BMC is called by. */
export interface SimulatedPlane {
  readonly clock: FakeClock;
  /** Something happens that the plane may die at, before or after. Throws when it is dead. */
  step(what: string): void;
  /** What `/ipxe` gives. */
  bootScript(
    name: string,
  ): Promise<{ readonly boot: 'agent' | 'environment' | 'disk'; readonly token: string | undefined }>;
  agentDeps(): AgentServiceDeps;
  pxeDelayMs(): number;
  /** The power is about to be switched. */
  watch(deed: string): Promise<void>;
}

/** One machine and its plane, in virtual time. The API and the boot sessions outlive planes. */
export interface Rack extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly client: MemoryClient;
  readonly machine: SimulatedMachine;
  /** `Kind name: Reason` of every Event. */
  readonly events: readonly string[];
  /** API and power calls of planes so far. */
  readonly steps: number;
  readonly isDead: boolean;
  /** The plane dies at its n-th step from the start; undefined: never. */
  killAt: number | undefined;
  pxeDelayMs: number;
  /** End the plane that is there, and start another. */
  restart(): Promise<void>;
  kill(): void;
  /** Let virtual time pass; a plane that died is started again after `downMs`. */
  pass(ms: number, downMs?: number): Promise<void>;
  /** Let time pass until it is so, at most `withinMs`. */
  until(what: string, isSo: (server: Server) => boolean, withinMs?: number): Promise<Server>;
  server(): Promise<Server>;
  bind(): Promise<void>;
  release(): Promise<void>;
}

export const MACHINE = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const TICK_MS = 5_000;

/** How a rack is. */
export interface RackOptions {
  /** The machine has no BMC. */
  readonly fake?: boolean;
  readonly rebootTimeoutMs?: number;
  /** Called before the power is switched. */
  readonly watch?: (deed: string) => Promise<void>;
}

/** Start a plane with one Server. */
export async function startRack(
  spec: Server['spec'],
  { fake = false, rebootTimeoutMs = 1_200_000, watch }: RackOptions = {},
): Promise<Rack> {
  const clock = createFakeClock(1_700_000_000_000);
  const object: Server = {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name: MACHINE },
    ...(spec === undefined ? {} : { spec }),
  };
  const client = createMemoryClient({ clock, objects: [{ kind: server, object }] });
  const events: string[] = [];
  const records: BootRecord[] = [];
  const store: BootSessionStore = {
    load: () => [...records],
    append: (record) => void records.push(record),
    rewrite: (all) => void records.splice(0, records.length, ...all),
    close() {},
  };
  let draws = 0;
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(++draws);
  let running: RunningControllers | undefined;
  let dead = true;
  let deps: AgentServiceDeps | undefined;
  let sessions: BootSessions = createBootSessions({ clock, random, store });

  const step = (what: string): void => {
    if (dead) throw new Error(`the plane is dead: ${what}`);
    rack.steps++;
    if (rack.steps !== rack.killAt) return;
    dead = true;
    throw new Error(`the plane dies: ${what}`);
  };
  const start = async (): Promise<void> => {
    dead = false;
    sessions = createBootSessions({ clock, random, store });
    const cache = createObjectCache();
    const own = mortal(client, step);
    const budget = createWipeBudget(clock, () => cache.list(server));
    const timeline = { record() {} };
    const record = (about: KubeObject, { reason }: { readonly reason: string }): void =>
      void events.push(`${about.kind} ${about.metadata.name}: ${reason}`);
    const power = fake ? fakePower : rack.machine.power;
    const controllers: Controller[] = [
      createServerController({
        powers: {
          of: async () => power,
          isPoweredOn: () => power.isPoweredOn(),
          [Symbol.asyncDispose]: async () => {},
        },
        sessions,
        timeline,
        budget,
        rebootTimeoutMs,
        defaultPxeMode: 'uefi',
      }) as Controller,
      createServerBindingController() as Controller,
    ];
    deps = {
      client: own,
      cache,
      clock,
      log: silentLog,
      events: { record },
      timeline,
      sessions,
      budget,
      autoAccept: false,
      autoBmcSetup: true,
      insecureWipe: true,
      rebootTimeoutMs,
      insecureMetadata: false,
    };
    const alsoCache = [metalMachine];
    running = startControllers(
      { client: own, cache, clock, log: silentLog, random: () => 0.5, controllers, events: { record }, alsoCache },
      new AbortController().signal,
    );
    await clock.advance(0);
  };
  const stop = async (): Promise<void> => {
    dead = true;
    const ended = running?.[Symbol.asyncDispose]();
    running = undefined;
    await clock.advance(60_000);
    await ended;
  };
  const plane: SimulatedPlane = {
    clock,
    step,
    pxeDelayMs: () => rack.pxeDelayMs,
    watch: async (deed) => watch?.(deed),
    agentDeps() {
      if (dead || deps === undefined) throw new Error('the plane is dead');
      return deps;
    },
    async bootScript(name) {
      if (dead) throw new Error('the plane is dead');
      const found = await findObject(client, server, { name });
      const bound = await findObject(client, serverBinding, { name });
      // Its DHCP was seen a moment ago.
      sessions.expectSeen('52:54:00:00:00:01', name);
      const issued = sessions.issue(name, '52:54:00:00:00:01', '10.0.0.1');
      const installed = found?.status?.conditions?.some(({ type }) => type === 'PXEBooted') === true;
      const boot = bound === undefined ? 'agent' : installed ? 'disk' : 'environment';
      return { boot, token: issued.ok ? issued.token : undefined };
    },
  };
  const read = (): Promise<Server> => client.get(server, { name: MACHINE });
  const pass = async (ms: number, downMs = 0): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= TICK_MS) {
      await clock.advance(Math.min(TICK_MS, leftMs));
      if (!dead) continue;
      await stop();
      await clock.advance(downMs);
      await start();
    }
  };
  const rack = {
    clock,
    client,
    machine: createSimulatedMachine(MACHINE, () => plane),
    events,
    steps: 0,
    get isDead() {
      return dead;
    },
    killAt: undefined as number | undefined,
    pxeDelayMs: 0,
    async restart() {
      await stop();
      await start();
    },
    kill() {
      dead = true;
    },
    pass,
    async until(what: string, isSo: (server: Server) => boolean, withinMs = 3_600_000) {
      for (let leftMs = withinMs; leftMs > 0; leftMs -= TICK_MS) {
        const now = await read();
        if (isSo(now)) return now;
        await pass(TICK_MS);
      }
      const { status } = await read();
      throw new Error(`never ${what}: ${JSON.stringify(status)} after ${rack.machine.history.join(', ')}`);
    },
    server: read,
    async bind() {
      await client.create(serverBinding, {
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
        kind: 'ServerBinding',
        metadata: { name: MACHINE },
        spec: { metalMachineRef: { kind: 'MetalMachine', name: 'm', namespace: 'default' } },
      });
    },
    release: () => client.delete(serverBinding, { name: MACHINE }),
    [Symbol.asyncDispose]: stop,
  };
  await start();
  return rack;
}

/** A client that counts, and dies with its plane. */
function mortal(client: ObjectClient, step: (what: string) => void): ObjectClient {
  const around = async <T>(what: string, call: () => Promise<T>, twice: boolean): Promise<T> => {
    step(what);
    const answer = await call();
    if (twice) step(`${what}, done`);
    return answer;
  };
  return {
    get: (kind, key) => around(`get ${kind.kind}`, () => client.get(kind, key), false),
    list: (kind, options) => around(`list ${kind.kind}`, () => client.list(kind, options), false),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object, options) => around(`create ${kind.kind}`, () => client.create(kind, object, options), true),
    update: (kind, object, options) => around(`update ${kind.kind}`, () => client.update(kind, object, options), true),
    patch: (kind, key, patch, options) =>
      around(`patch ${kind.kind}`, () => client.patch(kind, key, patch, options), true),
    delete: (kind, key, options) => around(`delete ${kind.kind}`, () => client.delete(kind, key, options), true),
  };
}
