import { randomBytes } from 'node:crypto';
import { createState, startRuntime } from '@bloomery/cosi';
import { silentLog, systemClock, until } from '@bloomery/ports';
import { openKernel } from '../../kernel/index.ts';
import { DevicesStatus } from '../../resources/runtime.ts';
import { testSettings } from '../../testing/test-environment.ts';
import { nameControllers } from '../index.ts';

/**
 * Names the links of the network namespace that it is started in, until its standard input ends, and says `ready` when those that are
 * there have theirs. usage: name-daemon.ts ROOT STATE [CMDLINE]; what hardware there is, is told by ROOT/sys.
 */
const [root = '', stateDir = '', cmdline = ''] = process.argv.slice(2);
const clock = systemClock;
const log = silentLog;
await using kernel = await openKernel({ clock, log, stateDir });
const state = createState({ clock, log });
const random = (length: number): Uint8Array => randomBytes(length);
await using runtime = startRuntime({ state, clock, log, random });
runtime.start(nameControllers({ kernel, settings: testSettings({ root, cmdline, stateDir, manageAll: true }) }));
await until('links have their names', () => state.get(DevicesStatus, 'devices')?.spec.ready);
console.log('ready');
for await (const _ of process.stdin);
