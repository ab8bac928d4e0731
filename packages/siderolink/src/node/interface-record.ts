import { mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../device/run-command.ts';

/** Where a machine notes the interface that it made, so that it finds it after a crash. */
export interface InterfaceRecord {
  /** Remove the interface of an earlier run that could not do it itself. Never fails. */
  removeStale(): Promise<void>;
  note(interfaceName: string): Promise<void>;
  forget(): Promise<void>;
}

const FILE = 'interface.json';

/**
 * The record in this folder. Keys do not outlive a run, so an interface that was left behind is of no use any more, and with
 * the machine's address on it, it would take the packets of the new one.
 */
export function interfaceRecord(stateDir: string): InterfaceRecord {
  const file = join(stateDir, FILE);
  const forget = (): Promise<void> => rm(file, { force: true });
  return {
    removeStale: async () => {
      const [name, identity] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
      if (name === undefined || identity === undefined) return;
      if ((await identityOf(name)) === identity) {
        await runCommand('removing the link of an earlier run', ['ip', 'link', 'del', 'dev', name]).catch(() => '');
      }
      await forget();
    },
    note: async (name) => {
      const identity = await identityOf(name);
      if (identity === undefined) return;
      await mkdir(stateDir, { recursive: true, mode: 0o700 });
      await writeFile(file, `${name}\n${identity}\n`, { mode: 0o600 });
    },
    forget,
  };
}

/** Boot, network namespace and index of a link: no other link ever has the same. undefined: there is no such link. */
async function identityOf(name: string): Promise<string | undefined> {
  try {
    const line = await runCommand('looking for the link', ['ip', '-o', 'link', 'show', 'dev', name]);
    const index = /^(\d+):/.exec(line)?.[1];
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return index === undefined ? undefined : `${boot} ${await readlink('/proc/self/ns/net')} ${index}`;
  } catch {
    return undefined;
  }
}
