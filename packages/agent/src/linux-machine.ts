import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { decodeSmbios, decodeSmbiosEntryPoint, type Smbios } from '@bloomery/wire';
import { type AskIpmi, parseRawAnswer } from './bmc/ipmi-message.ts';
import { findBmcAddress, setUpBmcUser } from './bmc/set-up-bmc.ts';
import { type Disk, describeDisk } from './hardware/disk.ts';
import type { Inventory } from './hardware/hardware-information.ts';
import { describeLink, type NetworkLink } from './hardware/network-link.ts';
import type { Machine } from './journey.ts';
import { listNames, mustRun, type RunProgram, readAttributes, readText } from './machine.ts';
import { disksToWipe } from './wipe/plan-wipe.ts';
import { wipeDisk } from './wipe/wipe-disk.ts';

export interface LinuxMachineDeps {
  readonly hostname: string;
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}

const DMI = '/sys/firmware/dmi/tables';
const DISK_FILES = ['size', 'ro', 'queue/rotational', 'device/model', 'model', 'device/serial', 'serial'];
const DISK_IDENTITY_FILES = ['device/uuid', 'uuid', 'device/wwid', 'wwid'];
const LINK_FILES = ['ifindex', 'flags', 'mtu', 'address'];
const IPMI_WAIT_MS = 3_000;

/** This machine, through sysfs and the programs of the boot image. */
export function createLinuxMachine(deps: LinuxMachineDeps): Machine {
  const { run, log, random, clock, hostname } = deps;
  const ask: AskIpmi = async (request) => {
    const bytes = request.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
    return parseRawAnswer(await mustRun(run, 'BLM_AGENT_IPMI_FAILED', ['ipmitool', '-I', 'open', 'raw', ...bytes]));
  };
  const bmc = { ask, random, log };
  return {
    hostname,
    inventory: readInventory,
    addresses: async () => globalAddresses().map((cidr) => cidr.slice(0, cidr.indexOf('/'))),
    wipe: async (inventory, mode) => {
      const disks = disksToWipe(inventory.disks);
      const done = await Promise.all(
        disks.map(async ({ path, sizeBytes }) =>
          (await wipeDisk({ path, sizeBytes, mode }, { run, log })) ? path : '',
        ),
      );
      return done.filter((path) => path !== '');
    },
    bmcAddress: async () => ((await hasIpmi(clock)) ? findBmcAddress(bmc) : undefined),
    bmcUser: (channel) => setUpBmcUser(channel, bmc),
  };
}

/** Everything in the machine, as the kernel shows it. */
export async function readInventory(): Promise<Inventory> {
  const [smbios, disks, links] = await Promise.all([readSmbios(), readDisks(), readLinks()]);
  return { smbios, disks, links };
}

/** The SMBIOS tables of this machine. @throws BloomeryError BLM_WIRE_* when they are malformed. */
export async function readSmbios(): Promise<Smbios> {
  const version = decodeSmbiosEntryPoint(await readFile(`${DMI}/smbios_entry_point`));
  return decodeSmbios(await readFile(`${DMI}/DMI`), version);
}

/** The disks of this machine. */
export async function readDisks(): Promise<Disk[]> {
  const names = await listNames('/sys/block');
  const found = await Promise.all(
    names.map(async (name) =>
      describeDisk(name, await readAttributes(`/sys/block/${name}`, [...DISK_FILES, ...DISK_IDENTITY_FILES])),
    ),
  );
  return found.filter((disk) => disk !== undefined);
}

async function readLinks(): Promise<NetworkLink[]> {
  const cidrs = networkInterfaces();
  const names = await listNames('/sys/class/net');
  return Promise.all(
    names.map(async (name) => {
      const addresses = (cidrs[name] ?? []).map((entry) => entry.cidr).filter((cidr) => cidr !== null);
      return describeLink(name, await readAttributes(`/sys/class/net/${name}`, LINK_FILES), addresses);
    }),
  );
}

/** CIDRs that other machines can reach: neither loopback nor link-local. */
function globalAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !/^(fe[89ab]|169\.254\.|127\.)/i.test(entry.address))
    .map((entry) => entry.cidr)
    .filter((cidr) => cidr !== null);
}

/** Waits a moment for the driver; quiet when there is no BMC. */
async function hasIpmi(clock: Clock): Promise<boolean> {
  const end = clock.nowMs() + IPMI_WAIT_MS;
  do {
    if ((await readText('/sys/class/ipmi/ipmi0/dev')) !== undefined) return true;
    await clock.sleep(200);
  } while (clock.nowMs() < end);
  return false;
}
