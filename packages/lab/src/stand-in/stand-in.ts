import { uptime } from 'node:os';
import { bringUpNetwork, type Disk, type Inventory, type RunProgram, readInventory } from '@bloomery/agent';
import { BloomeryError, type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import {
  type LinkDocuments,
  type MachineReports,
  machineReports,
  readLinkArguments,
  readLinkDocuments,
} from '@bloomery/siderolink';
import { type BootArguments, readBootArguments } from './boot-arguments.ts';
import { type BootSequences, createBootSequences } from './boot-sequences.ts';
import { fetchConfig } from './fetch-config.ts';
import { type FoundState, installToDisk, readInstalledState, saveInstalledState } from './install.ts';
import { type JoiningMachine, linkSettings } from './link-settings.ts';
import { readStandInConfig, type StandInConfig } from './machine-config.ts';
import { applyNetworkConfig, currentHostname, firstInterface, globalAddresses } from './machine-network.ts';
import { type MachineRun, runFromDisk } from './run-from-disk.ts';
import { createSequenceLog, type SequenceLog } from './sequence-log.ts';
import { joinStandInLink, type StandInLink } from './stand-in-link.ts';

export interface StandInDeps {
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** Sent as the Talos version, so that nobody mistakes a stand-in for the real thing. */
const VERSION = 'v1.13.0-stand-in';
const DELIVERY_WAIT_MS = 300_000;
const FAILURE_DELIVERY_WAIT_MS = 60_000;
/** Whoever ends the run of a machine waits for it. */
const LAST_DELIVERY_WAIT_MS = 3_000;
const LOOK_AT_ADDRESSES_EVERY_MS = 2_000;
const SIGN_OF_LIFE_EVERY_MS = 10_000;
const UNIQUE_TOKEN_BYTES = 32;
const NOT_READY = { disk: 'it does not run from its disk yet' };
/** Of the disk boot. Where the link goes stands in the configuration, as for Talos. */
const DISK_COMMAND_LINE = 'console=tty0 console=ttyS0 printk.devkmsg=on panic=30 stand-in.boot=disk';

/** What one boot works with. */
interface Boot extends StandInDeps {
  readonly commandLine: string;
  readonly given: BootArguments;
  readonly inventory: Inventory;
  readonly installed: FoundState | undefined;
  readonly defaultInterface: string;
  readonly link: StandInLink;
  readonly sequences: BootSequences;
  readonly sequenceLog: SequenceLog;
  readonly reports: MachineReports;
  readonly identity: JoiningMachine;
}

/**
 * One boot of the Talos stand-in: takes an address, joins SideroLink, gets its configuration (from the plane, or from the disk
 * when it boots from there), applies host name and addresses, and installs itself when it booted from the network. Its kernel
 * log and the events of all that go over the link.
 *
 * From disk it does what machines of a cluster do, until somebody asks its Talos API to end that.
 *
 * @returns what the machine has to do next.
 */
export async function runStandIn(commandLine: string, deps: StandInDeps): Promise<'reboot' | 'poweroff'> {
  const boot = await startBoot(commandLine, deps);
  const { given, link, sequences, reports, log } = boot;
  let run: MachineRun | undefined;
  // From disk it knows its name at once, and tells nothing before.
  if (!given.isDiskBoot) void keepReporting(boot);
  try {
    const loaded = await sequences.sequence('initialize', () => initialize(boot));
    if (given.isDiskBoot) void keepReporting(boot);
    if (given.isDiskBoot) run = await sequences.sequence('boot', () => bootFromDisk(boot, loaded));
    else await sequences.sequence('install', () => install(boot, loaded), 'reboot');
  } catch (error) {
    await link.events.drained(FAILURE_DELIVERY_WAIT_MS);
    throw error;
  }
  if (run !== undefined) {
    reports.stage('RUNNING');
    log.info('standin.ready', { boot: 'disk', hostname: currentHostname(), addresses: globalAddresses() });
    const ending = await run.ended;
    await run.finish(ending);
    await link.events.drained(LAST_DELIVERY_WAIT_MS);
    return ending.how;
  }
  reports.stage('REBOOTING', NOT_READY);
  const delivered = await link.events.drained(DELIVERY_WAIT_MS);
  log.info('standin.rebooting', { reportsDelivered: delivered });
  await link.leave();
  return 'reboot';
}

async function startBoot(commandLine: string, deps: StandInDeps): Promise<Boot> {
  const given = readBootArguments(commandLine);
  const from = given.isDiskBoot ? 'disk' : 'network';
  deps.log.info('standin.started', { notice: 'TALOS STAND-IN, a lab program, NOT Talos Linux', boot: from });
  const { name: defaultInterface, mac } = await firstInterface(deps.clock);
  await bringUpNetwork(mac, deps);
  const inventory = await readInventory();
  const installed = await readInstalledState(inventory.disks, deps);
  const { uniqueToken } = installed ?? {};
  const { uuid } = inventory.smbios.system;
  const identity = { uuid, talosVersion: VERSION, ...(uniqueToken === undefined ? {} : { uniqueToken }) };
  // As Talos does: what the kernel arguments name is joined before there is a configuration.
  const link = joinStandInLink(linkSettings(readLinkArguments(commandLine), undefined, identity), deps);
  const reports = machineReports(link.events, deps.clock);
  const sequenceLog = createSequenceLog();
  const sequences = createBootSequences(link.events, deps.log, sequenceLog);
  reports.stage('BOOTING', NOT_READY);
  return {
    ...{ ...deps, commandLine, given, inventory, installed, identity, defaultInterface },
    ...{ link, sequences, sequenceLog, reports },
  };
}

interface LoadedConfig {
  readonly text: string;
  readonly config: StandInConfig;
  readonly documents: LinkDocuments;
}

/** The sequence `initialize`: get the configuration and apply it. */
function initialize(boot: Boot): Promise<LoadedConfig> {
  const { sequences, link, identity } = boot;
  return sequences.phase('config', async () => {
    const loaded = await sequences.task('loadConfig', () => loadConfig(boot));
    await applyNetworkConfig(loaded.config, boot.defaultInterface, boot);
    await link.settle(linkSettings(readLinkArguments(boot.commandLine), loaded.documents, identity));
    return loaded;
  });
}

async function loadConfig({ given, installed, identity, reports, ...deps }: Boot): Promise<LoadedConfig> {
  const text = given.isDiskBoot ? installed?.config : await fetchConfig(given, identity.uuid, deps);
  if (text === undefined) throw new TypeError('no disk has the configuration that the installer left');
  try {
    return { text, config: readStandInConfig(text), documents: readLinkDocuments(text) };
  } catch (error) {
    reports.configNotLoaded(errorText(error));
    throw error;
  }
}

/** The sequence `boot`: nothing is claimed that does not run. */
function bootFromDisk(boot: Boot, { text, config }: LoadedConfig): Promise<MachineRun> {
  const { sequences, reports, installed, identity, defaultInterface } = boot;
  return sequences.phase('startEverything', async () => {
    reports.service('talos-stand-in', 'RUNNING', 'Started: a program of the lab, not Talos Linux', true);
    if (installed === undefined) throw new TypeError('no disk has the configuration that the installer left');
    const { uuid } = identity;
    return runFromDisk({ disk: installed.disk, uuid, version: VERSION, text, config, defaultInterface }, boot);
  });
}

/** The sequence `install`. */
async function install(boot: Boot, { text, config, documents }: LoadedConfig): Promise<void> {
  const { given, inventory, installed, sequences, reports, log } = boot;
  reports.stage('INSTALLING', NOT_READY);
  const disk = await sequences.phase('install', () =>
    sequences.task('install', async () => {
      const chosen = chooseDisk(inventory.disks, config.installDisk);
      if (given.imageUrl === undefined) throw new TypeError('no stand-in.image argument: nothing to install from');
      log.info('install.started', { disk: chosen.path, from: given.imageUrl });
      const etcdUrl = config.cluster?.isControlPlane === true ? given.etcdUrl : undefined;
      const { imageUrl } = given;
      await installToDisk({ disk: chosen, imageUrl, etcdUrl, commandLine: DISK_COMMAND_LINE }, boot);
      return chosen;
    }),
  );
  const fresh = Buffer.from(boot.random(UNIQUE_TOKEN_BYTES)).toString('hex');
  const uniqueToken = installed?.uniqueToken ?? (documents.siderolink?.uniqueToken || fresh);
  await sequences.phase('saveConfig', () => saveInstalledState(disk, { config: text, uniqueToken }, boot));
  log.info('install.done', { disk: disk.path });
}

/** Reports addresses at start and when they change, and lets the kernel log show that the machine lives. Never ends. */
async function keepReporting({ reports, clock, log }: Boot): Promise<never> {
  let saidMs = clock.nowMs();
  let told = '';
  for (;;) {
    const [hostname, addresses] = [currentHostname(), globalAddresses()];
    const now = [hostname, ...addresses].join(' ');
    if (now !== told) reports.addresses(hostname, addresses);
    told = now;
    if (clock.nowMs() - saidMs >= SIGN_OF_LIFE_EVERY_MS) {
      saidMs = clock.nowMs();
      log.info('standin.alive', { uptimeSeconds: Math.floor(uptime()) });
    }
    await clock.sleep(LOOK_AT_ADDRESSES_EVERY_MS);
  }
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
