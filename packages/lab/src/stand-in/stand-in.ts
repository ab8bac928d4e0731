import { writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import {
  bringUpNetwork,
  type Disk,
  type Inventory,
  mustRun,
  type RunProgram,
  readInventory,
  readText,
} from '@bloomery/agent';
import { BloomeryError, type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import { commonProto, machineEventsProto } from '@bloomery/wire';
import { type BootArguments, configUrlFor, readBootArguments } from './boot-arguments.ts';
import { type EventReporter, startEventReporter } from './event-reporter.ts';
import { installToDisk, readInstalledConfig } from './install.ts';
import { readStandInConfig, type StandInConfig } from './machine-config.ts';

export interface StandInDeps {
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** Sent as the Talos version, so that nobody mistakes a stand-in for the real thing. */
const VERSION = 'v1.13.0-stand-in';
const FETCH_RETRY_MS = 5_000;
const DELIVERY_WAIT_MS = 300_000;
const FAILURE_DELIVERY_WAIT_MS = 60_000;
const DRIVER_WAIT_MS = 20_000;

const { AddressEventSchema, PhaseEventSchema, SequenceEventSchema } = machineEventsProto;
const { START } = machineEventsProto.SequenceEvent_Action;
const NOOP = machineEventsProto.SequenceEvent_Action.NOOP;

/**
 * One boot of the Talos stand-in: takes an address, gets its configuration (from the plane, or from the disk when it boots
 * from there), applies host name and addresses, reports over the link, and installs itself when it booted from the network.
 *
 * @returns `reboot` after an installation, `stay` when it runs from disk.
 */
export async function runStandIn(commandLine: string, deps: StandInDeps): Promise<'reboot' | 'stay'> {
  const { log } = deps;
  const given = readBootArguments(commandLine);
  log.info('standin.started', { notice: 'TALOS STAND-IN, a lab program, NOT Talos Linux', boot: bootName(given) });
  const link = await firstLink(deps.clock);
  await bringUpNetwork(link.mac, deps);
  const inventory = await readInventory();
  const uuid = inventory.smbios.system.uuid;
  const text = given.isDiskBoot ? await configFromDisk(inventory, deps) : await fetchConfig(given, uuid, deps);
  const config = readStandInConfig(text);
  await applyConfig(config, link.name, deps);
  const linkApi = given.linkApi ?? config.linkApi;
  const eventSink = given.eventSink ?? config.eventSink;
  const reporter = startEventReporter({ linkApi, eventSink, uuid, version: VERSION }, deps);
  reporter.report(AddressEventSchema, { hostname: hostname(), addresses: globalAddresses() });
  if (given.isDiskBoot) {
    reporter.report(SequenceEventSchema, { sequence: 'boot', action: START });
    log.info('standin.ready', { boot: 'disk', hostname: hostname(), addresses: globalAddresses() });
    return 'stay';
  }
  await install({ given: { ...given, ...defined({ linkApi, eventSink }) }, config, text, inventory }, reporter, deps);
  const delivered = await reporter.drained(linkApi === undefined ? 0 : DELIVERY_WAIT_MS);
  log.info('standin.rebooting', { reportsDelivered: delivered });
  return 'reboot';
}

interface InstallInput {
  readonly given: BootArguments;
  readonly config: StandInConfig;
  readonly text: string;
  readonly inventory: Inventory;
}

/** The sequence `install` with the events that Talos sends for it. */
async function install(
  { given, config, text, inventory }: InstallInput,
  reporter: EventReporter,
  deps: StandInDeps,
): Promise<void> {
  reporter.report(PhaseEventSchema, { phase: 'saveConfig', action: machineEventsProto.PhaseEvent_Action.START });
  reporter.report(SequenceEventSchema, { sequence: 'install', action: START });
  reporter.report(PhaseEventSchema, { phase: 'install', action: machineEventsProto.PhaseEvent_Action.START });
  try {
    const disk = chooseDisk(inventory.disks, config.installDisk);
    if (given.imageUrl === undefined) throw new TypeError('no stand-in.image argument: nothing to install from');
    deps.log.info('install.started', { disk: disk.path, from: given.imageUrl });
    await installToDisk({ disk, imageUrl: given.imageUrl, config: text, commandLine: diskCommandLine(given) }, deps);
    deps.log.info('install.done', { disk: disk.path });
  } catch (cause) {
    const message = `installing: ${errorText(cause)}`;
    deps.log.error('install.failed', { error: errorText(cause) });
    reporter.report(SequenceEventSchema, {
      sequence: 'install',
      action: NOOP,
      error: { code: commonProto.Code.FATAL, message },
    });
    await reporter.drained(FAILURE_DELIVERY_WAIT_MS);
    throw cause;
  }
  // How Talos says that the installer ended well: the sequence is broken off by the reboot.
  const error = { code: commonProto.Code.FATAL, message: 'sequence failed: unix.Reboot (Talos stand-in)' };
  reporter.report(SequenceEventSchema, { sequence: 'install', action: NOOP, error });
}

function diskCommandLine({ linkApi, eventSink }: BootArguments): string {
  return [
    ...['console=tty0', 'console=ttyS0', 'printk.devkmsg=on', 'panic=30', 'stand-in.boot=disk'],
    ...(linkApi === undefined ? [] : [`siderolink.api=${linkApi}`]),
    ...(eventSink === undefined ? [] : [`talos.events.sink=${eventSink}`]),
  ].join(' ');
}

function chooseDisk(disks: readonly Disk[], wanted: string | undefined): Disk {
  const usable = disks.filter((disk) => !disk.readOnly);
  const found = wanted === undefined ? usable[0] : usable.find((disk) => disk.path === wanted);
  if (found !== undefined) return found;
  const there = usable.map((disk) => disk.path).join(', ');
  throw new BloomeryError(
    'BLM_LAB_PROGRAM_FAILED',
    `choosing the disk ${wanted ?? '(first)'}: there are ${there || 'none'}`,
  );
}

async function applyConfig(config: StandInConfig, defaultLink: string, { run, log }: StandInDeps): Promise<void> {
  if (config.hostname !== undefined) await writeFile('/proc/sys/kernel/hostname', config.hostname);
  for (const { interfaceName, cidr } of config.addresses) {
    const link = interfaceName === '' ? defaultLink : interfaceName;
    await mustRun(run, 'BLM_AGENT_LINK_MISSING', ['ip', 'address', 'replace', cidr, 'dev', link]);
  }
  log.info('config.applied', { hostname: hostname(), addresses: config.addresses.map((entry) => entry.cidr) });
}

async function fetchConfig({ configUrl }: BootArguments, uuid: string, { clock, log }: StandInDeps): Promise<string> {
  if (configUrl === undefined) throw new TypeError('no talos.config argument: this boot has no configuration');
  const url = configUrlFor(configUrl, uuid);
  for (;;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
      const text = await answer.text();
      if (answer.ok) {
        log.info('config.fetched', { bytes: text.length });
        return text;
      }
      log.warn('config.refused', { status: answer.status, why: text.slice(0, 200) });
    } catch (error) {
      log.warn('config.failed', { error: errorText(error) });
    }
    await clock.sleep(FETCH_RETRY_MS);
  }
}

async function configFromDisk(inventory: Inventory, deps: StandInDeps): Promise<string> {
  const config = await readInstalledConfig(inventory.disks, deps);
  if (config === undefined) throw new TypeError('no disk has the configuration that the installer left');
  deps.log.info('config.fetched', { from: 'disk', bytes: config.length });
  return config;
}

/** The first interface with hardware behind it. */
async function firstLink(clock: Clock): Promise<{ readonly name: string; readonly mac: string }> {
  const until = clock.nowMs() + DRIVER_WAIT_MS;
  do {
    for (const { name, mac } of (await readInventory()).links) {
      if (mac !== '' && (await readText(`/sys/class/net/${name}/device/uevent`)) !== undefined) return { name, mac };
    }
    await clock.sleep(200);
  } while (clock.nowMs() < until);
  throw new BloomeryError('BLM_AGENT_LINK_MISSING', 'looking for a network interface: there is none');
}

function globalAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !/^(fe[89ab]|fd|169\.254\.|127\.)/i.test(entry.address))
    .map((entry) => entry.address);
}

function bootName({ isDiskBoot }: BootArguments): string {
  return isDiskBoot ? 'disk' : 'network';
}

function defined<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
