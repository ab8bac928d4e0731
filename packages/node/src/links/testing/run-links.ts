/**
 * The controllers of links over the kernel of this network namespace, for tests: `node run-links.ts STATE_DIR`. Each line on stdin is
 * a JSON text, the next machine configuration, or `{"show":"wg0"}`. Lines on stdout are JSON: what is logged, `{"ready":true}`, and
 * the peers of the device that was to be shown.
 */
import { createInterface } from 'node:readline';
import { createState, startRuntime } from '@bloomery/cosi';
import { type Logger, systemClock } from '@bloomery/ports';
import { loadNodeConfig } from '../../config/load-node-config.ts';
import { openKernel } from '../../kernel/open-kernel.ts';
import { statusControllers } from '../../kernel/status/index.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../../resources/machine-config.ts';
import { DevicesStatus } from '../../resources/runtime.ts';
import { testEnvironment } from '../../testing/index.ts';
import { linkControllers } from '../index.ts';

const [stateDir = '.'] = process.argv.slice(2);
const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const logger = (own: object): Logger => ({
  debug: () => {},
  info: (event, fields) => void say({ level: 'info', event, ...own, ...fields }),
  warn: (event, fields) => void say({ level: 'warn', event, ...own, ...fields }),
  error: (event, fields) => void say({ level: 'error', event, ...own, ...fields }),
  with: (fields) => logger({ ...own, ...fields }),
});
const log = logger({});
const clock = systemClock;
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

await using kernel = await openKernel({ clock, log, stateDir });
const environment = testEnvironment({ kernel, clock, log, random }, { stateDir });
const state = createState({ clock, log });
await using runtime = startRuntime({ state, clock, log, random });
state.register(MachineConfig);
state.register(DevicesStatus);
state.create(DevicesStatus, 'devices', { ready: true });
const lookUpHost = async (host: string): Promise<readonly string[]> => (host === 'localhost' ? ['127.0.0.1'] : []);
runtime.start([...statusControllers(environment), ...linkControllers(environment, { lookUpHost })]);
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const said: string | { readonly show: string } = JSON.parse(line);
  if (typeof said === 'object') {
    say({ shown: said.show, peers: (await kernel.wireguard.read(said.show))?.peers ?? [] });
    continue;
  }
  const config = loadNodeConfig(said);
  const old = state.get(MachineConfig, ACTIVE_CONFIG);
  if (old === undefined) state.create(MachineConfig, ACTIVE_CONFIG, config);
  else state.update(MachineConfig, ACTIVE_CONFIG, config, { version: old.metadata.version });
}
