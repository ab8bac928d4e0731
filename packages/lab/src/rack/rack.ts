import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BloomeryError } from '@bloomery/ports';
import { runProgram } from '../run-program.ts';
import { bmcFiles } from './bmc-files.ts';
import { makeMarkedDisk, remainingMarkers } from './disk-marker.ts';
import { FACTORY_BMC_USER, type MachineSpec } from './machine-spec.ts';
import { ProcessRecord } from './process-record.ts';
import type { MachinePlace } from './qemu-arguments.ts';
import {
  addTap,
  blockUdp,
  createRackNetwork,
  inNamespace,
  type RackNetwork,
  removeRackNetwork,
  SITE_V6,
} from './rack-network.ts';

/** A rack of virtual machines with their BMCs and the site's DHCP server, none of which know the plane. */
export interface Rack {
  readonly network: RackNetwork;
  readonly dir: string;
  readonly processes: ProcessRecord;
  readonly machines: readonly MachineSpec[];
  /** Press the power button: over the network through the machine's BMC. */
  power(machine: MachineSpec, action: 'on' | 'off' | 'status'): Promise<string>;
  /** Everything that the machine wrote to its serial console, over all its boots. */
  consoleText(machine: MachineSpec): string;
  /** Which of the markers written before the first boot are still on the disk. */
  markers(machine: MachineSpec): string[];
  machineDir(machine: MachineSpec): string;
}

export interface RackOptions {
  readonly network: RackNetwork;
  /** State: disks, logs, process numbers. Emptied. */
  readonly dir: string;
  readonly machines: readonly MachineSpec[];
}

const OVMF_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const WIREGUARD_PORT = 51_821;
const FIRST_BMC_PORT = 9_100;
const BMC_WAIT_MS = 15_000;

/** Build a rack: namespaces, DHCP server, one BMC simulator and one marked disk per machine. All machines are off. */
export async function createRack({ network, dir, machines }: RackOptions): Promise<Rack> {
  await removeRack(network, dir);
  mkdirSync(dir, { recursive: true });
  const processes = new ProcessRecord(dir);
  await createRackNetwork(
    network,
    machines.map((machine) => machine.bmcAddress),
  );
  startDhcpServer(network, dir, processes);
  const rack = rackHandle({ network, dir, machines }, processes);
  for (const [index, machine] of machines.entries()) {
    await addTap(network, `tap-${machine.name}`);
    if (machine.link === 'tunnel') await blockUdp(network, machine.mac, WIREGUARD_PORT);
    startBmc(rack, machine, FIRST_BMC_PORT + index);
  }
  for (const machine of machines) await waitForBmc(rack, machine);
  return rack;
}

/** A handle on a rack that an earlier run built. */
export function openRack(options: RackOptions): Rack {
  return rackHandle(options, new ProcessRecord(options.dir));
}

/** End every process of the rack, remove its network and its directory. Nothing happens when there is none. */
export async function removeRack(network: RackNetwork, dir: string): Promise<void> {
  if (existsSync(dir)) await stopRack(network, dir);
  else await removeRackNetwork(network);
  rmSync(dir, { recursive: true, force: true });
}

/** End every process of the rack and remove its network; its directory with the logs stays. */
export async function stopRack(network: RackNetwork, dir: string): Promise<void> {
  const processes = new ProcessRecord(dir);
  for (const line of existsSync(join(dir, 'machines')) ? readFileSync(join(dir, 'machines'), 'utf8').split('\n') : []) {
    const pidFile = join(dir, line, 'qemu.pid');
    if (line !== '' && existsSync(pidFile)) adoptQemu(processes, line, pidFile);
  }
  await processes.stopAll();
  await removeRackNetwork(network);
}

/** QEMU is started by the BMC simulator, hence known by its file only. */
function adoptQemu(processes: ProcessRecord, name: string, pidFile: string): void {
  const pid = Number(readFileSync(pidFile, 'utf8').trim());
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync(commandLine) || !readFileSync(commandLine, 'utf8').includes(pidFile)) return;
  processes.adopt(`machine ${name}`, pid);
}

function rackHandle({ network, dir, machines }: RackOptions, processes: ProcessRecord): Rack {
  const machineDir = (machine: MachineSpec): string => join(dir, machine.name);
  return {
    network,
    dir,
    machines,
    processes,
    machineDir,
    power: async (machine, action) => {
      const { name, password } = FACTORY_BMC_USER;
      const login = ['-I', 'lanplus', '-C', '3', '-H', machine.bmcAddress, '-U', name, '-P', password, '-N', '2'];
      const [program, ...args] = inNamespace(network.namespace, ['ipmitool', ...login, 'power', action]);
      return (await runProgram(program, args)).toString().trim();
    },
    consoleText: (machine) => {
      const path = join(machineDir(machine), 'console.log');
      return existsSync(path) ? readFileSync(path, 'latin1') : '';
    },
    markers: (machine) => remainingMarkers(join(machineDir(machine), 'disk.raw'), machine.diskBytes),
  };
}

function startDhcpServer(network: RackNetwork, dir: string, processes: ProcessRecord): void {
  const { prefix, planeAddress, dhcpNamespace } = network;
  const options = [
    ...[
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--port=0',
      '--interface=eth0',
      '--bind-interfaces',
      '--user=root',
    ],
    ...['--no-ping', '--log-dhcp', `--dhcp-range=${prefix}.50,${prefix}.99,255.255.255.0,1h`, '--dhcp-authoritative'],
    ...['--enable-ra', `--dhcp-range=${SITE_V6}100,${SITE_V6}1ff,64,1h`],
    ...[`--dhcp-option=3,${planeAddress}`, `--dhcp-leasefile=${dir}/dhcp.leases`, `--pid-file=${dir}/dnsmasq.pid`],
  ];
  processes.start({
    what: 'dhcp server',
    command: inNamespace(dhcpNamespace, ['dnsmasq', ...options]),
    logFile: join(dir, 'dnsmasq.log'),
  });
}

function startBmc(rack: Rack, machine: MachineSpec, bmcPort: number): void {
  const dir = rack.machineDir(machine);
  mkdirSync(join(dir, 'bmc-state'), { recursive: true });
  writeFileSync(join(rack.dir, 'machines'), `${machine.name}\n`, { flag: 'a' });
  const place: MachinePlace = {
    disk: join(dir, 'disk.raw'),
    uefiVariables: join(dir, 'uefi-variables.fd'),
    consoleLog: join(dir, 'console.log'),
    pidFile: join(dir, 'qemu.pid'),
    tap: `tap-${machine.name}`,
    bmcPort,
  };
  makeMarkedDisk(place.disk, machine.diskBytes);
  if (machine.firmware === 'uefi') copyFileSync(OVMF_VARIABLES, place.uefiVariables);
  for (const [file, text] of Object.entries(bmcFiles(machine, place, dir))) {
    writeFileSync(join(dir, file), text);
    if (file.endsWith('.sh')) chmodSync(join(dir, file), 0o755);
  }
  const files = ['-c', join(dir, 'lan.conf'), '-f', join(dir, 'ipmi.emu'), '-s', join(dir, 'bmc-state')];
  rack.processes.start({
    what: `BMC of ${machine.name}`,
    command: inNamespace(rack.network.namespace, ['ipmi_sim', ...files, '-n']),
    logFile: join(dir, 'ipmi_sim.log'),
    cwd: dir,
  });
}

async function waitForBmc(rack: Rack, machine: MachineSpec): Promise<void> {
  const until = Date.now() + BMC_WAIT_MS;
  for (;;) {
    try {
      await rack.power(machine, 'status');
      return;
    } catch (cause) {
      if (Date.now() < until) {
        await sleep(200);
        continue;
      }
      const log = join(rack.machineDir(machine), 'ipmi_sim.log');
      throw new BloomeryError('BLM_LAB_STAGE_MISSED', `starting the BMC of ${machine.name}: no answer; see ${log}`, {
        cause,
      });
    }
  }
}
