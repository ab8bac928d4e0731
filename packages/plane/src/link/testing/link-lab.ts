import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Why real links cannot be tested here, or false. */
export function whyNoLinkLab(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    accessSync('/dev/net/tun');
    execFileSync('wireguard-go', ['--version'], { stdio: 'ignore' });
    execFileSync('nft', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs /dev/net/tun, wireguard-go and nft';
  }
}

/** A script of this folder that runs in a namespace: one line of JSON asks, one answers. */
export interface LabProcess {
  /** Ask, or without a question wait for the next line. */
  ask(question?: object): Promise<Record<string, unknown>>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** A plane's namespace and some of machines, all on one bridge. */
export interface LinkLab {
  /** Address of the plane's namespace; machines have those after it. */
  readonly host: string;
  readonly dir: string;
  /** Make a machine's namespace. */
  addMachine(): string;
  readonly plane: string;
  start(namespace: string, script: string, ...args: readonly string[]): LabProcess;
  /** The same for a script that is given as text. */
  startNode(namespace: string, script: string): LabProcess;
  /** Run a program in a namespace and return what it printed. */
  run(namespace: string, program: string, ...args: readonly string[]): string;
  end(): void;
}

let labs = 0;

/** Make one; end it in `after`. */
export function makeLinkLab(): LinkLab {
  const dir = mkdtempSync(join(tmpdir(), 'blm-link-'));
  const prefix = `blml${process.pid}${String.fromCharCode(97 + labs++)}`;
  const namespaces: string[] = [];
  const running: ChildProcess[] = [];
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  const addNamespace = (): string => {
    const name = `${prefix}${namespaces.length}`;
    ip('netns', 'add', name);
    namespaces.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return name;
  };
  const spawnIn = (namespace: string, ...args: readonly string[]): LabProcess => {
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    running.push(child);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return {
      ask: async (question) => {
        if (question !== undefined) child.stdin.write(`${JSON.stringify(question)}\n`);
        const { value, done } = await lines.next();
        assert.ok(done !== true, 'the process ended without an answer');
        return JSON.parse(value);
      },
      kill: () => {
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill('SIGKILL');
        return gone;
      },
    };
  };
  const plane = addNamespace();
  ip('-n', plane, 'link', 'add', 'lab', 'type', 'bridge');
  ip('-n', plane, 'address', 'add', '10.99.0.1/24', 'dev', 'lab');
  ip('-n', plane, 'link', 'set', 'lab', 'up');
  return {
    host: '10.99.0.1',
    dir,
    plane,
    addMachine: () => {
      const number = namespaces.length;
      const name = addNamespace();
      ip('link', 'add', `m${number}`, 'netns', plane, 'type', 'veth', 'peer', 'name', 'veth', 'netns', name);
      ip('-n', plane, 'link', 'set', `m${number}`, 'master', 'lab', 'up');
      ip('-n', name, 'address', 'add', `10.99.0.${number + 1}/24`, 'dev', 'veth');
      ip('-n', name, 'link', 'set', 'veth', 'up');
      return name;
    },
    start: (namespace, script, ...args) => spawnIn(namespace, join(import.meta.dirname, script), ...args),
    startNode: (namespace, script) => spawnIn(namespace, '-e', script),
    run: (namespace, program, ...args) => ip('netns', 'exec', namespace, program, ...args),
    end: () => {
      for (const child of running) child.kill('SIGKILL');
      for (const name of namespaces) {
        for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) killIfThere(Number(pid));
        ip('netns', 'del', name);
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** SIGKILL what may have ended already. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has.
  }
}
