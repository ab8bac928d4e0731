import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BloomeryError } from '@bloomery/ports';
import type { Rack } from '../rack/rack.ts';
import { inNamespace } from '../rack/rack-network.ts';

/** `./bloomery serve` inside a rack, as a process that outlives the driver. */
export interface RackPlane {
  readonly dataDir: string;
  readonly kubeconfig: string;
  /** The plane's own log. */
  readonly logFile: string;
  /** Where it writes what it collects of the machines' kernel logs. */
  readonly collectedLogs: string;
  /** Start it (again, on the same data) and wait until it is ready. Returns the time that took. */
  start(): Promise<number>;
  isRunning(): boolean;
  /** SIGKILL, as a power failure would end it; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface RackPlaneOptions {
  readonly rack: Rack;
  /** Root of the source tree. */
  readonly sourceDir: string;
  readonly imagesDir: string;
  /** Further flags of `bloomery serve`. */
  readonly flags?: readonly string[];
}

const READY_WAIT_MS = 60_000;
const WHAT = 'plane';

/** The plane of a rack; its data directory is emptied, it is not started yet. */
export function createRackPlane({ rack, sourceDir, imagesDir, flags = [] }: RackPlaneOptions): RackPlane {
  const dataDir = join(rack.dir, 'plane');
  const logFile = join(rack.dir, 'plane.log');
  const endpoints = join(dataDir, 'endpoints.json');
  const { network } = rack;
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const serve = [
    ...['serve', '--data', dataDir, '--kube-listen', `${network.planeHostSideAddress}:6443`],
    ...['--listen', '0.0.0.0:8081', '--advertise', `${network.planeAddress}:8081`, '--dhcp-interface', network.bridge],
    ...['--agent-images', imagesDir, ...flags],
  ];
  const start = async (): Promise<number> => {
    const startedAt = Date.now();
    // Written last when everything serves; one of an earlier run must not be taken for this one's.
    rmSync(endpoints, { force: true });
    rack.processes.start({
      what: WHAT,
      command: inNamespace(network.namespace, [join(sourceDir, 'bloomery'), ...serve]),
      logFile,
      cwd: sourceDir,
    });
    while (!existsSync(endpoints)) {
      if (!rack.processes.isRunning(WHAT) || Date.now() - startedAt > READY_WAIT_MS) {
        const said = existsSync(logFile) ? readFileSync(logFile, 'utf8').trim().slice(-1500) : '';
        throw new BloomeryError(
          'BLM_LAB_STAGE_MISSED',
          `starting bloomery serve: it is not ready; see ${logFile}\n${said}`,
        );
      }
      await sleep(50);
    }
    return Date.now() - startedAt;
  };
  return {
    dataDir,
    logFile,
    collectedLogs: join(dataDir, 'logs/serverlogs.jsonl'),
    kubeconfig: join(dataDir, 'kubeconfig'),
    start,
    isRunning: () => rack.processes.isRunning(WHAT),
    kill: async () => {
      while (rack.processes.signal(WHAT, 'SIGKILL')) await sleep(20);
    },
  };
}
