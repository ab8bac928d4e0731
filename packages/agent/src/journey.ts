import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import type { Inventory } from './hardware/hardware-information.ts';
import { retry } from './retry.ts';

/** What the plane wants done with the machine. */
export interface Orders {
  readonly wipe: boolean;
  readonly insecureWipe: boolean;
  readonly setupBmc: boolean;
  readonly rebootTimeoutMs: number;
}

/** The plane as the agent sees it; every call fails with a BloomeryError when it is not answered. */
export interface Plane {
  register(inventory: Inventory, hostname: string): Promise<Orders>;
  reportAddresses(uuid: string, addresses: readonly string[]): Promise<void>;
  heartbeat(uuid: string): Promise<void>;
  reportWiped(uuid: string): Promise<void>;
  reportBmcAddress(uuid: string, ip: string, port: number): Promise<void>;
  reportBmcUser(uuid: string, user: string, password: string): Promise<void>;
}

/** The machine as the agent sees it. */
export interface Machine {
  readonly hostname: string;
  inventory(): Promise<Inventory>;
  /** Global unicast, without prefix length. */
  addresses(): Promise<readonly string[]>;
  /** Wipe every disk that can be written, all at once. Names of the wiped ones. */
  wipe(inventory: Inventory, mode: 'fast' | 'full'): Promise<readonly string[]>;
  /** The BMC's address, or undefined when the machine offers no IPMI; quiet then. */
  bmcAddress(): Promise<{ readonly channel: number; readonly ip: string; readonly port: number } | undefined>;
  bmcUser(channel: number): Promise<{ readonly user: string; readonly password: string }>;
}

export interface JourneyDeps {
  readonly plane: Plane;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Logger;
  /** Identity to report under where the plane gave one; else the machine's own. */
  readonly uuid?: string;
}

const RETRY = { everyMs: 30_000, overallMs: 300_000 };
const DEFAULT_REBOOT_TIMEOUT_MS = 20 * 60_000;
const MIN_HEARTBEAT_MS = 1_000;

/** One run of the agent: register, report addresses, wipe and set up the BMC where the plane wants it, in this order. */
export async function runJourney(deps: JourneyDeps): Promise<void> {
  const { plane, machine, log } = deps;
  const inventory = await machine.inventory();
  const uuid = deps.uuid ?? inventory.smbios.system.uuid;
  const orders = await retry(() => plane.register(inventory, machine.hostname), { ...RETRY, what: 'register' }, deps);
  log.info('agent.registered', { uuid, ...orders });
  const addresses = await machine.addresses();
  await retry(() => plane.reportAddresses(uuid, addresses), { ...RETRY, what: 'report addresses' }, deps);
  if (orders.wipe) await wipeMachine(deps, { inventory, uuid, orders });
  else if (orders.setupBmc) await setUpBmc(deps, uuid);
}

interface WipeOrders {
  readonly inventory: Inventory;
  readonly uuid: string;
  readonly orders: Orders;
}

async function wipeMachine(deps: JourneyDeps, { inventory, uuid, orders }: WipeOrders): Promise<void> {
  const { plane, machine, clock, log } = deps;
  const stop = new AbortController();
  const timeoutMs = orders.rebootTimeoutMs > 0 ? orders.rebootTimeoutMs : DEFAULT_REBOOT_TIMEOUT_MS;
  const beating = beat(deps, uuid, Math.max(MIN_HEARTBEAT_MS, timeoutMs / 3), stop.signal);
  try {
    const startedAt = clock.nowMs();
    const disks = await machine.wipe(inventory, orders.insecureWipe ? 'fast' : 'full');
    log.info('agent.wiped', { disks, tookMs: clock.nowMs() - startedAt });
    // Before the report: a clean machine is allocated at once, and then its BMC is nobody's to change.
    if (orders.setupBmc) await setUpBmc(deps, uuid);
  } finally {
    stop.abort();
    await beating;
  }
  await retry(() => plane.reportWiped(uuid), { ...RETRY, what: 'report wipe' }, deps);
}

/** Heartbeats until told to stop, the first at once. A lost one is only logged. */
async function beat(deps: JourneyDeps, uuid: string, everyMs: number, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await deps.plane.heartbeat(uuid);
    } catch (error) {
      deps.log.warn('agent.heartbeat', { error: errorText(error) });
    }
    await deps.clock.sleep(everyMs, stop);
  }
}

/** Never fails the run: a machine without a BMC user is still a machine. */
async function setUpBmc({ plane, machine, log }: JourneyDeps, uuid: string): Promise<void> {
  try {
    const address = await machine.bmcAddress();
    if (address === undefined) {
      log.info('bmc.absent');
      return;
    }
    await plane.reportBmcAddress(uuid, address.ip, address.port);
    const { user, password } = await machine.bmcUser(address.channel);
    await plane.reportBmcUser(uuid, user, password);
    log.info('bmc.ready', { ip: address.ip, port: address.port });
  } catch (error) {
    if (!(error instanceof BloomeryError)) throw error;
    log.warn('bmc.failed', { error: error.message });
  }
}
