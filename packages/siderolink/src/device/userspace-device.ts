import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BloomeryError, type Clock, errorText } from '@bloomery/ports';
import type { DeviceSecrets } from '@bloomery/wire';
import { candidateNames, listLinkNames } from './link-names.ts';
import { openUapiSocket, type UapiSocket } from './uapi-socket.ts';
import type { WireguardDevice } from './wireguard-device.ts';

/** What a userspace device needs. */
export interface UserspaceDeps {
  /** Folder for control sockets, process ids and logs of wireguard-go; made when missing. */
  readonly stateDir: string;
  readonly clock: Clock;
}

const START_TIMEOUT_MS = 5_000;
const POLL_MS = 20;
const SOCKET_DIR = '/var/run/wireguard';
const LOG_MAX_BYTES = 1024 * 1024;

/**
 * Start wireguard-go, or take over the one that an earlier run of ours left behind. Each runs in a mount namespace of its
 * own, so that several users of one host never share control sockets; where that is not allowed, as in containers, in ours.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED with what wireguard-go said.
 */
export async function startUserspaceDevice(baseName: string, deps: UserspaceDeps): Promise<WireguardDevice> {
  await mkdir(deps.stateDir, { recursive: true, mode: 0o700 });
  const taken = await listLinkNames();
  for (const name of candidateNames(baseName)) {
    const device = await startNamed(name, taken.has(name), deps);
    if (device !== undefined) return device;
  }
  throw failed(`starting wireguard-go: all link names from ${baseName} on are taken`);
}

/** A device of wireguard-go that also tells its keys. */
export interface UserspaceDevice extends WireguardDevice {
  readonly secrets: () => Promise<DeviceSecrets>;
}

/**
 * The same for exactly this name.
 *
 * @returns undefined when a link of another has the name.
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED with what wireguard-go said.
 */
export async function startNamedUserspaceDevice(
  name: string,
  deps: UserspaceDeps,
): Promise<UserspaceDevice | undefined> {
  await mkdir(deps.stateDir, { recursive: true, mode: 0o700 });
  return startNamed(name, (await listLinkNames()).has(name), deps);
}

/**
 * Take over the one of this name that an earlier run of ours left behind, or that one beside us has. Nothing is started or ended.
 *
 * @returns undefined where there is none, or it does not answer.
 */
export async function adoptUserspaceDevice(name: string, deps: UserspaceDeps): Promise<UserspaceDevice | undefined> {
  const pid = await ourProcess(processFiles(deps.stateDir, name).pid);
  return pid === undefined ? undefined : adopt(name, pid, deps);
}

async function startNamed(name: string, isTaken: boolean, deps: UserspaceDeps): Promise<UserspaceDevice | undefined> {
  const files = processFiles(deps.stateDir, name);
  const pid = await ourProcess(files.pid);
  if (isTaken) return pid === undefined ? undefined : adopt(name, pid, deps);
  if (pid !== undefined) await end(pid, deps.clock);
  return launch(name, files, deps);
}

interface ProcessFiles {
  readonly pid: string;
  readonly log: string;
  readonly socket: string;
}

function processFiles(stateDir: string, name: string): ProcessFiles {
  const at = (suffix: string): string => join(stateDir, `${name}.${suffix}`);
  return { pid: at('pid'), log: at('log'), socket: at('sock') };
}

async function launch(name: string, files: ProcessFiles, deps: UserspaceDeps): Promise<UserspaceDevice> {
  await rm(files.socket, { force: true });
  const child = spawnProcess(name, files.log, deps.stateDir);
  const ended = endOf(child);
  const socket = await openUapiSocket(deps.stateDir, name, deps.clock);
  try {
    await untilAnswering(socket, ended, files.log, deps.clock);
    await writeFile(files.pid, `${child.pid}\n`);
  } catch (error) {
    if (child.pid !== undefined) kill(child.pid);
    await socket[Symbol.asyncDispose]();
    throw error;
  }
  const lost = ended.then((end) => `wireguard-go ended (${end})`);
  return device(name, files.log, socket, lost, async () => {
    if (child.pid !== undefined) await end(child.pid, deps.clock);
    await ended;
    await rm(files.pid, { force: true });
  });
}

function spawnProcess(name: string, logFile: string, stateDir: string): ChildProcess {
  rmSync(logFile, { force: true });
  // Appending, so that it can be emptied while it is written to.
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn('sh', ['-c', START_SCRIPT, 'sh', stateDir, name], {
      stdio: ['ignore', log, log],
      detached: true,
      env: { PATH: SYSTEM_PATH, LOG_LEVEL: 'error' },
    });
  } finally {
    closeSync(log);
  }
}

const START_SCRIPT = `
dir=${SOCKET_DIR}
if unshare --mount true 2>/dev/null; then
  exec unshare --mount sh -c "mkdir -p $dir && mount --bind "$1" $dir && exec wireguard-go -f "$2"" sh "$1" "$2"
fi
mkdir -p $dir && ln -sf "$dir/$2.sock" "$1/$2.sock" && exec wireguard-go -f "$2"
`;
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(errorText(error)));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

async function untilAnswering(socket: UapiSocket, ended: Promise<string>, log: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.nowMs() + START_TIMEOUT_MS;
  let end: string | undefined;
  void ended.then((how) => {
    end = how;
  });
  for (;;) {
    try {
      await socket.get();
      return;
    } catch (cause) {
      if (end !== undefined) throw failed(`starting wireguard-go: ${await lastLine(log, end)}`, cause);
      if (clock.nowMs() > deadlineMs) throw failed('starting wireguard-go: no control socket in 5 s', cause);
      await clock.sleep(POLL_MS);
    }
  }
}

async function adopt(name: string, pid: number, deps: UserspaceDeps): Promise<UserspaceDevice | undefined> {
  if (!(await isInOurNetwork(pid))) return undefined;
  const files = processFiles(deps.stateDir, name);
  const socket = await openUapiSocket(deps.stateDir, name, deps.clock);
  try {
    await socket.get();
  } catch {
    await socket[Symbol.asyncDispose]();
    return undefined;
  }
  const lost = socket.ended().then(() => 'wireguard-go ended');
  return device(name, files.log, socket, lost, async () => {
    await end(pid, deps.clock);
    await rm(files.pid, { force: true });
  });
}

function device(
  name: string,
  logFile: string,
  socket: UapiSocket,
  lost: Promise<string>,
  stop: () => Promise<void>,
): UserspaceDevice {
  return {
    interfaceName: name,
    backend: 'userspace',
    lost,
    update: (update) => socket.set(update),
    secrets: () => socket.secrets(),
    state: async () => {
      await keepLogSmall(logFile);
      return socket.get();
    },
    [Symbol.asyncDispose]: async () => {
      await socket[Symbol.asyncDispose]();
      await stop();
    },
  };
}

/** wireguard-go writes a line for every packet to a machine that is away. */
async function keepLogSmall(logFile: string): Promise<void> {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  if (size > LOG_MAX_BYTES) await truncate(logFile).catch(() => {});
}

/** The process that an earlier run recorded, when it still is wireguard-go. */
async function ourProcess(pidFile: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid < 2) return undefined;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'wireguard-go' ? pid : undefined;
}

async function isInOurNetwork(pid: number): Promise<boolean> {
  const [ours, theirs] = await Promise.all([readlink('/proc/self/ns/net'), readlink(`/proc/${pid}/ns/net`)]);
  return ours === theirs;
}

/** Ask it to end, and make it when it does not. */
async function end(pid: number, clock: Clock): Promise<void> {
  kill(pid);
  if (await isGone(pid, clock)) return;
  kill(pid, 'SIGKILL');
  await isGone(pid, clock);
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** The link goes with its process, and the process is not our child: look until it is gone, at most 5 s. */
async function isGone(pid: number, clock: Clock): Promise<boolean> {
  const deadlineMs = clock.nowMs() + START_TIMEOUT_MS;
  while (clock.nowMs() < deadlineMs) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (status === '' || / [ZX] /.test(status.slice(status.lastIndexOf(')') + 1, status.lastIndexOf(')') + 4)))
      return true;
    await clock.sleep(POLL_MS);
  }
  return false;
}

async function lastLine(logFile: string, end: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  // Without the time, which would make the same reason another one each time.
  const last = text
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^[A-Z]+: \(\S+\) [\d/]+ [\d:]+ /, '');
  return last || end;
}

function failed(message: string, cause?: unknown): BloomeryError {
  return new BloomeryError('BLM_LINK_DEVICE_FAILED', message, cause === undefined ? {} : { cause });
}
