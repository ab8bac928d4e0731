import { readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { BloomeryError, errorText, type Listen } from '@bloomery/ports';

/** Flags of `bloomery node` as they were given. */
export interface NodeFlags {
  readonly config?: string;
  readonly state?: string;
  readonly api?: string;
  readonly cmdline?: string;
  readonly uuid?: string;
  readonly manageAll?: boolean;
  readonly hostFiles?: string;
  readonly leave?: boolean;
  readonly dryRun?: boolean;
  readonly graph?: boolean;
  readonly logLevel?: string;
}

export interface NodeOptions {
  /** Absolute. */
  readonly configFile?: string;
  /** Absolute. */
  readonly stateDir: string;
  readonly api: Listen;
  readonly cmdline: string;
  readonly uuid?: string;
  readonly manageAll: boolean;
  readonly hostFiles: boolean;
  readonly leave: boolean;
  readonly dryRun: boolean;
  readonly graph: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const HOST_FILES = ['auto', 'on', 'off'] as const;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const CMDLINE_BYTES_MAX = 64 * 1024;

/** @throws BloomeryError BLM_CLI_USAGE naming the flag, its value and what is accepted. */
export function readNodeOptions(flags: NodeFlags): NodeOptions {
  const graph = flags.graph === true;
  const hostFiles = choice('--host-files', flags.hostFiles ?? 'auto', HOST_FILES);
  // As of a variable that is not set: the folder one stands in is not what was meant.
  if (flags.state === '') throw usage('--state is empty: it names a folder', '');
  if (flags.config === '') throw usage('--config is empty: it names a file', '');
  if (flags.state === undefined && !graph) {
    throw usage("--state is missing: the folder that keeps the daemon's configuration and what it must undo", '');
  }
  if (flags.uuid !== undefined && !UUID.test(flags.uuid)) {
    throw usage(`--uuid ${flags.uuid}: not a UUID`, '--uuid 4c4c4544-0039-3010-8051-b4c04f4d3132');
  }
  return {
    ...(flags.config === undefined ? {} : { configFile: resolve(flags.config) }),
    stateDir: resolve(flags.state ?? '.'),
    api: readListen(flags.api ?? '127.0.0.1:50000'),
    cmdline: readCmdline(flags.cmdline ?? '@/proc/cmdline'),
    ...(flags.uuid === undefined ? {} : { uuid: flags.uuid.toLowerCase() }),
    manageAll: flags.manageAll === true,
    hostFiles: hostFiles === 'on' || (hostFiles === 'auto' && isInNetworkOfInit()),
    leave: flags.leave === true,
    dryRun: flags.dryRun === true,
    graph,
    logLevel: choice('--log-level', flags.logLevel ?? 'info', LOG_LEVELS),
  };
}

function readListen(text: string): Listen {
  const found = LISTEN.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65_535) throw usage(`--api ${text}: not HOST:PORT`, '--api 127.0.0.1:50000');
  return { host: found[1] ?? found[2] ?? '', port };
}

function readCmdline(text: string): string {
  if (!text.startsWith('@')) return text.trim();
  const file = text.slice(1);
  try {
    return readFileSync(file, 'utf8').slice(0, CMDLINE_BYTES_MAX).trim();
  } catch (error) {
    // A container may have no /proc/cmdline to read; what was asked for by name must be there.
    if (file === '/proc/cmdline') return '';
    throw usage(`--cmdline ${text}: ${errorText(error)}`, '');
  }
}

/** Files of the host belong to whoever lives in its own network namespace: in another one they would be changed for strangers. */
function isInNetworkOfInit(): boolean {
  try {
    return readlinkSync('/proc/self/ns/net') === readlinkSync('/proc/1/ns/net');
  } catch {
    return false;
  }
}

function choice<const V extends readonly string[]>(flag: string, value: string, values: V): V[number] {
  const found = values.find((known) => known === value);
  if (found === undefined) throw usage(`${flag} ${value}: accepted are ${values.join(', ')}`, '');
  return found;
}

function usage(message: string, hint: string): BloomeryError {
  return new BloomeryError('BLM_CLI_USAGE', message, {
    facts: { try: hint === '' ? 'bloomery node --help' : `bloomery node ${hint}` },
  });
}
