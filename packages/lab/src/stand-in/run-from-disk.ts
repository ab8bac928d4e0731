import { cpus, release, totalmem } from 'node:os';
import { type Disk, type RunProgram, readText } from '@bloomery/agent';
import { type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import type { MachineReports } from '@bloomery/siderolink';
import type { BootSequences } from './boot-sequences.ts';
import { type MountedState, mountState, wipeInstallation } from './install.ts';
import type { NodeFacts } from './kubelet/node-object.ts';
import type { Ending } from './machine-actions.ts';
import { readStandInConfig, type StandInConfig } from './machine-config.ts';
import { addressesOf, currentHostname } from './machine-network.ts';
import { type RunningNode, runNode } from './run-node.ts';
import type { SequenceLog } from './sequence-log.ts';

/** A machine that booted from its disk. */
export interface InstalledMachine {
  readonly disk: Disk;
  readonly uuid: string;
  /** Of the stand-in. */
  readonly version: string;
  /** The configuration, as text and as far as the stand-in understands it. */
  readonly text: string;
  readonly config: StandInConfig;
  readonly defaultInterface: string;
}

export interface InstalledMachineDeps {
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly reports: MachineReports;
  readonly sequences: BootSequences;
  readonly sequenceLog: SequenceLog;
}

/** A machine at work. Its run ends when somebody asks its Talos API for that. */
export interface MachineRun {
  readonly ended: Promise<Ending>;
  /** Do what `ended` asks for, up to the last step: the caller reboots or powers off. */
  finish(ending: Ending): Promise<void>;
}

/** Start the services of a machine; one whose configuration names no cluster has none and runs for ever. */
export async function runFromDisk(machine: InstalledMachine, deps: InstalledMachineDeps): Promise<MachineRun> {
  const { cluster } = machine.config;
  if (cluster === undefined) return { ended: new Promise(() => {}), finish: async () => {} };
  const state = await mountState(machine.disk, deps);
  const bootId = (await readText('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
  const node = await runNode(
    {
      ...{ cluster, config: machine.text, version: machine.version, facts: () => factsOf(machine, bootId) },
      ...{ listenHost: '0.0.0.0', stateDir: state.dir, etcdProgram: state.etcdProgram },
      saveConfig: async (text) => {
        readStandInConfig(text);
        await state.saveConfig(text);
      },
    },
    { ...deps, sequences: deps.sequenceLog },
  );
  return { ended: node.ended, finish: (ending) => finishRun(ending, { machine, state, node }, deps) };
}

function factsOf({ uuid, version, config, defaultInterface }: InstalledMachine, bootId: string): NodeFacts {
  const given = config.addresses.map(({ cidr }) => cidr.split('/')[0] ?? cidr);
  return {
    ...{ uuid, bootId, osVersion: version, hostname: currentHostname() },
    addresses: addressesOf(defaultInterface, given),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    kernelVersion: release(),
  };
}

interface Run {
  readonly machine: InstalledMachine;
  readonly state: MountedState;
  readonly node: RunningNode;
}

/** Whoever asked for the end gets an answer before the Talos API goes. */
const ANSWER_MS = 500;

const STAGE_OF = {
  reset: 'RESETTING',
  reboot: 'REBOOTING',
  applyConfiguration: 'REBOOTING',
  shutdown: 'SHUTTING_DOWN',
} as const;

function finishRun({ how, sequence, leave, wipe }: Ending, run: Run, deps: InstalledMachineDeps): Promise<void> {
  const { clock, log, sequences, reports } = deps;
  const { machine, state, node } = run;
  log.info('standin.ending', { sequence, how });
  reports.stage(STAGE_OF[sequence], { services: 'they are stopped' });
  const work = async (): Promise<void> => {
    if (leave === true) {
      await sequences
        .task('leaveEtcd', () => node.leave())
        .catch((error: unknown) => {
          log.warn('etcd.not-left', { error: errorText(error) });
        });
    }
    await clock.sleep(ANSWER_MS);
    await sequences.task('stopServices', async () => node[Symbol.asyncDispose]());
    await sequences.task('unmountState', () => state.unmount());
    if (wipe === true) await sequences.task('resetSystemDisk', () => wipeInstallation(machine.disk, deps));
  };
  return sequences.sequence(sequence, () => sequences.phase('cleanup', work));
}
