/** The program of the agent image, started by its /init. Ends with 0 to reboot and 42 to power off. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createGrpcClient } from '@bloomery/grpc';
import { errorText, systemClock } from '@bloomery/ports';
import { runJourney } from './journey.ts';
import { readAgentArguments } from './kernel-arguments.ts';
import { createKernelLog } from './kernel-log.ts';
import { createLinuxMachine } from './linux-machine.ts';
import { runProgram } from './machine.ts';
import { bringUpNetwork } from './network/bring-up.ts';
import { createPlaneClient } from './plane-client.ts';

const COUNT_DOWN_SECONDS = 10;
const POWER_OFF = 42;

const clock = systemClock;
const log = createKernelLog((line) => appendFileSync('/dev/kmsg', line));
// The clock's timers alone do not keep the process alive.
const alive = setInterval(() => {}, 60_000);
let finish: 'reboot' | 'poweroff' = 'reboot';
try {
  log.info('agent.started', { node: process.version });
  const given = readAgentArguments(readFileSync('/proc/cmdline', 'utf8'));
  finish = given.finish;
  const lease = await bringUpNetwork(given.mac, { run: runProgram, clock, log });
  const client = createGrpcClient({ address: given.endpoint, clock });
  await runJourney({
    plane: createPlaneClient(client, given.token),
    machine: createLinuxMachine({ hostname: lease.hostname ?? '', run: runProgram, clock, random: randomBytes, log }),
    clock,
    log,
    ...(given.uuid === undefined ? {} : { uuid: given.uuid }),
  });
  client.close();
} catch (error) {
  log.error('agent.failed', { error: errorText(error) });
}
for (let left = COUNT_DOWN_SECONDS; left > 0; left--) {
  log.info(`agent.${finish}`, { inSeconds: left });
  await clock.sleep(1000);
}
clearInterval(alive);
process.exitCode = finish === 'poweroff' ? POWER_OFF : 0;
