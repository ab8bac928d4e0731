import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bloomeryCacheDir, type Lab, type MachineSpec, rackNetwork, startLab } from '../packages/lab/src/index.ts';

const PROGRAMS = ['/usr/bin/qemu-system-x86_64', '/usr/bin/ipmi_sim', '/usr/sbin/dnsmasq'];

/** Why the QEMU journeys cannot run here, or false. */
export function whyNoLab(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = PROGRAMS.filter((path) => !existsSync(path));
  return missing.length > 0 && `missing: ${missing.join(', ')}; run make setup`;
}

/** A lab of its own for one test file: `name` at most 4 characters, `slot` 1..63 different in each file. */
export function startTestLab(
  name: string,
  slot: number,
  machines: readonly MachineSpec[],
  planeFlags: readonly string[] = [],
): Promise<Lab> {
  return startLab({
    network: rackNetwork(name, slot),
    rackDir: mkdtempSync(join(tmpdir(), `bloomery-${name}-`)),
    sourceDir: join(import.meta.dirname, '..'),
    cacheDir: bloomeryCacheDir(process.env),
    machines,
    planeFlags,
    say,
  });
}

/** Progress on stderr, so that a long test shows where it is. */
export function say(line: string): void {
  console.error(`# ${new Date().toTimeString().slice(0, 8)}  ${line}`);
}
