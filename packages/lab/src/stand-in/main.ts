/** The program of the Talos stand-in's image, started by its /init. Ends with 0 to reboot and 42 to power off. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createKernelLog, runProgram } from '@bloomery/agent';
import { errorText, systemClock } from '@bloomery/ports';
import { runStandIn } from './stand-in.ts';

const RESTART_SECONDS = 30;
const POWER_OFF = 42;

const kernelLog = createKernelLog((line) => appendFileSync('/dev/kmsg', line), 'talos-stand-in');
// The kernel log goes over the link, and the link's own debug lines are about each thing that goes over it.
const log = { ...kernelLog, debug: () => {} };
// The clock's timers alone do not keep the process alive.
const alive = setInterval(() => {}, 60_000);
let next: 'reboot' | 'poweroff' = 'reboot';
try {
  const deps = { run: runProgram, clock: systemClock, log, random: randomBytes };
  next = await runStandIn(readFileSync('/proc/cmdline', 'utf8'), deps);
} catch (error) {
  log.error('standin.failed', { error: errorText(error), rebootInSeconds: RESTART_SECONDS });
  await systemClock.sleep(RESTART_SECONDS * 1000);
}
clearInterval(alive);
process.exit(next === 'poweroff' ? POWER_OFF : 0);
