import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectClient } from '@bloomery/kube';
import { type Server, secret } from '@bloomery/model';
import { BloomeryError, type Clock, isBloomeryError, type Logger } from '@bloomery/ports';
import { createBmcGate } from './bmc-gate.ts';
import { fakePower } from './fake-power.ts';
import { createIpmiClient } from './ipmi-client.ts';
import { type RunIpmitool, runIpmitool } from './ipmitool.ts';
import { createManagementApiClient, type FailureDice } from './management-api-client.ts';
import type { PowerClient } from './power-client.ts';

/** Finds the way to switch each Server. */
export interface PowerClients extends AsyncDisposable {
  /**
   * The power client of this Server: its BMC, else its management API, else the fake.
   * @throws BLM_BMC_SECRET_MISSING when spec.bmc names a Secret or key that does not exist.
   */
  of(server: Server): Promise<PowerClient>;
  /**
   * Whether the Server is on, as known not longer than `maxAgeMs` ago; 0 asks the BMC now. At most 10 s, for display only.
   * Throws as `of` and the power client do.
   */
  isPoweredOn(server: Server, maxAgeMs: number): Promise<boolean>;
}

export interface PowerClientsDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly run?: RunIpmitool;
  /** From the end of one call to the next at the same BMC. 1 s unless given. */
  readonly spacingMs?: number;
  readonly managementApiFailures?: FailureDice;
}

const DEFAULT_PORT = 623;
const DEFAULT_INTERFACE = 'lanplus';
const DEFAULT_SPACING_MS = 1000;
const MAX_CACHE_AGE_MS = 10_000;
const MAX_CACHED = 20_000;

type Bmc = NonNullable<NonNullable<Server['spec']>['bmc']>;
type Source = Bmc['userFrom'];

function missing(name: string, what: string): BloomeryError {
  return new BloomeryError('BLM_BMC_SECRET_MISSING', `reading BMC credentials of Server ${name}: ${what}`, {
    retryable: true,
    facts: { server: name },
  });
}

async function credential(
  client: ObjectClient,
  server: string,
  literal: string | undefined,
  source: Source,
): Promise<string | undefined> {
  if (literal !== undefined && literal !== '') return literal;
  if (source === undefined) return undefined;
  const ref = source.secretKeyRef;
  if (ref === undefined) throw missing(server, 'missing secretKeyRef');
  try {
    const { data } = await client.get(secret, { name: ref.name, namespace: ref.namespace });
    const value = data?.[ref.key];
    if (value === undefined) throw missing(server, `Secret ${ref.namespace}/${ref.name} has no key ${ref.key}`);
    return Buffer.from(value, 'base64').toString('utf8');
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    throw missing(server, `Secret ${ref.namespace}/${ref.name} does not exist`);
  }
}

/** Identifies what a cached answer is about: a changed BMC or power action forgets it. */
function sourceOf(server: Server): string {
  const { bmc, managementApi } = server.spec ?? {};
  return `${bmc?.endpoint ?? ''}:${bmc?.port ?? ''}/${managementApi?.endpoint ?? ''}`;
}

/** Make the chooser of power clients. Calls to one BMC run one at a time, `spacingMs` apart. Disposing removes its scratch files. */
export function createPowerClients(deps: PowerClientsDeps): PowerClients {
  const gate = createBmcGate(deps.clock, deps.spacingMs ?? DEFAULT_SPACING_MS);
  const suites = new Map<string, number>();
  const answers = new Map<string, { readonly on: boolean; readonly atMs: number; readonly source: string }>();
  let folder: Promise<string> | undefined;
  const scripts = new Map<string, Promise<string>>();
  const scriptFile = (name: string, text: string): Promise<string> => {
    const writeScript = async (): Promise<string> => {
      folder ??= mkdtemp(join(tmpdir(), 'bloomery-ipmi-'));
      const file = join(await folder, name);
      await writeFile(file, text);
      return file;
    };
    const script = scripts.get(name) ?? writeScript();
    scripts.set(name, script);
    return script;
  };
  const ipmi = { run: deps.run ?? runIpmitool, gate, clock: deps.clock, log: deps.log, suites, scriptFile };

  const choose = async (server: Server): Promise<PowerClient> => {
    const { bmc, managementApi } = server.spec ?? {};
    const { name } = server.metadata;
    if (bmc !== undefined) {
      const user = await credential(deps.client, name, bmc.user, bmc.userFrom);
      const password = await credential(deps.client, name, bmc.pass, bmc.passFrom);
      if (user === undefined || password === undefined) return fakePower;
      const port = bmc.port ?? DEFAULT_PORT;
      const access = { host: bmc.endpoint, port, user, password, interface: bmc.interface ?? DEFAULT_INTERFACE };
      return createIpmiClient(access, ipmi);
    }
    return managementApi === undefined
      ? fakePower
      : createManagementApiClient(managementApi.endpoint, deps.managementApiFailures);
  };
  /** Remembers what was read and forgets it with every action. */
  const remembering = (server: Server, inner: PowerClient): PowerClient => {
    if (inner.isFake) return inner;
    const { name } = server.metadata;
    const source = sourceOf(server);
    const act = async (action: () => Promise<void>): Promise<void> => {
      answers.delete(name);
      await action().finally(() => answers.delete(name));
    };
    return {
      isFake: false,
      async isPoweredOn() {
        const on = await inner.isPoweredOn();
        if (answers.size >= MAX_CACHED) answers.clear();
        answers.set(name, { on, atMs: deps.clock.nowMs(), source });
        return on;
      },
      powerOn: () => act(() => inner.powerOn()),
      powerOff: () => act(() => inner.powerOff()),
      powerCycle: () => act(() => inner.powerCycle()),
      setPxeOnce: (mode) => inner.setPxeOnce(mode),
    };
  };
  const of = async (server: Server): Promise<PowerClient> => remembering(server, await choose(server));
  return {
    of,
    async isPoweredOn(server, maxAgeMs) {
      const known = answers.get(server.metadata.name);
      const ageLimitMs = Math.min(maxAgeMs, MAX_CACHE_AGE_MS);
      if (known?.source === sourceOf(server) && deps.clock.nowMs() - known.atMs < ageLimitMs) return known.on;
      return (await of(server)).isPoweredOn();
    },
    async [Symbol.asyncDispose]() {
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
    },
  };
}
