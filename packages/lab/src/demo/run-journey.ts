import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BloomeryError } from '@bloomery/ports';
import type { MachineSpec } from '../rack/machine-spec.ts';
import type { Rack } from '../rack/rack.ts';
import type { JourneyLog } from './journey-log.ts';
import { linkMode, type Sight, STAGES, type Stage, stagesSeen } from './machine-stages.ts';
import type { MachineWatch } from './machine-watch.ts';
import type { RackPlane } from './rack-plane.ts';

export interface PowerOnOptions {
  readonly rack: Rack;
  readonly log: JourneyLog;
  readonly machines: readonly MachineSpec[];
  readonly say: (line: string) => void;
}

export interface JourneyOptions extends PowerOnOptions {
  readonly watch: MachineWatch;
  readonly plane: RackPlane;
  /** The journey of each machine ends when it reached all of these; what one of them proves, another need not. */
  readonly until: readonly Stage[];
  readonly timeoutMs: number;
  /** Called between looks, at most once a second. */
  readonly meanwhile?: () => Promise<void>;
}

const LOOK_EVERY_MS = 250;

/** Press the power button of the machines, one after the other. */
export async function powerOnMachines({ rack, machines, log, say }: PowerOnOptions): Promise<void> {
  for (const machine of machines) {
    log.poweredOn(machine.name, Date.now());
    await rack.power(machine, 'on');
    say(`${machine.name} (${machine.firmware})  PoweredOn`);
  }
}

/**
 * Watch the machines until each has reached the last stages, saying every stage as it happens.
 * @throws BloomeryError BLM_LAB_STAGE_MISSED naming the machine, the stage and the last lines of its console.
 */
export async function followMachines(options: JourneyOptions): Promise<void> {
  const { rack, watch, log, machines, timeoutMs, say } = options;
  const end = Date.now() + timeoutMs;
  for (;;) {
    for (const machine of machines) {
      const sight = watch.sight(machine);
      for (const stage of log.note(machine.name, stagesSeen(sight), Date.now())) {
        const seconds = log.secondsAt(machine.name, stage)?.toFixed(1) ?? '';
        const facts = [stageFacts(stage, sight), stage === 'Wiped' ? markerFact(rack, machine) : '']
          .filter(Boolean)
          .join(', ');
        say(`${machine.name} (${machine.firmware})  ${stage.padEnd(12)}  after ${seconds} s  ${facts}`.trimEnd());
      }
    }
    const late = machines.find((machine) => missingStage(options, machine) !== undefined);
    if (late === undefined) return;
    if (Date.now() > end) throw missed(options, late);
    await options.meanwhile?.();
    if (!options.plane.isRunning()) throw planeGone(options.plane);
    await sleep(LOOK_EVERY_MS);
  }
}

function stageFacts(stage: Stage, sight: Sight): string {
  const { server, binding, metalMachine, kernelLog } = sight;
  const { system, memory, storage } = server?.spec?.hardware ?? {};
  switch (stage) {
    case 'Registered':
      return [server?.metadata.name, system?.productName, memory?.totalSize, storage?.totalSize]
        .filter(Boolean)
        .join(', ');
    case 'BmcReady':
      return `BMC at ${server?.spec?.bmc?.endpoint ?? '?'}`;
    case 'Allocated':
      return `to ${metalMachine?.metadata.name ?? binding?.spec?.metalMachineRef?.name ?? '?'}`;
    case 'Booted':
      return 'Talos stand-in (not Talos Linux)';
    case 'Linked':
      return linkText(linkMode(sight));
    case 'Observed':
      return `${kernelLog.length} lines of its kernel log are here`;
    case 'Configured':
      return `${binding?.spec?.hostname ?? '?'}, ${binding?.spec?.addresses?.join(' ') ?? ''}`;
    default:
      return '';
  }
}

/** How a machine is linked, for people. */
export function linkText(mode: ReturnType<typeof linkMode>): string {
  return { udp: 'SideroLink by UDP', tunnel: 'SideroLink by gRPC tunnel', none: 'no SideroLink' }[mode];
}

function markerFact(rack: Rack, machine: MachineSpec): string {
  const left = rack.markers(machine);
  return left.length === 0 ? 'the marker on its disk is gone' : `MARKER STILL THERE (${left.join(', ')})`;
}

function planeGone({ logFile }: RackPlane): BloomeryError {
  const said = readFileSync(logFile, 'utf8').trim().slice(-1500);
  return new BloomeryError(
    'BLM_LAB_STAGE_MISSED',
    `following the machines: the plane has ended; see ${logFile}\n${said}`,
  );
}

function missingStage({ log, until }: JourneyOptions, { name }: MachineSpec): Stage | undefined {
  return until.find((stage) => !log.has(name, stage));
}

function missed(options: JourneyOptions, machine: MachineSpec): BloomeryError {
  const { rack, watch, log, timeoutMs } = options;
  const stage = missingStage(options, machine);
  const sight = watch.sight(machine);
  const waiting = sight.server?.status?.waitingFor ?? sight.metalMachine?.status?.waitingFor;
  const tail = rack
    .consoleText(machine)
    .split('\n')
    .slice(-12)
    .map((line) => line.slice(0, 160))
    .join('\n');
  const reached = STAGES.filter((stage) => log.has(machine.name, stage)).at(-1);
  const why = waiting === undefined ? '' : `; the plane waits for: ${waiting}`;
  return new BloomeryError(
    'BLM_LAB_STAGE_MISSED',
    `waiting ${timeoutMs / 1000} s for ${machine.name} to reach ${stage}: it came to ${reached ?? 'nothing'}${why}\n${tail}`,
    { facts: { machine: machine.name, stage, reached } },
  );
}
