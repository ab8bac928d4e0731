import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createState, startRuntime } from '@bloomery/cosi';
import { silentLog, systemClock } from '@bloomery/ports';
import { loadNodeConfig } from '../../config/load-node-config.ts';
import { openKernel } from '../../kernel/open-kernel.ts';
import { PROBLEM_ANNOTATION } from '../../layers/index.ts';
import { deviceConfigController } from '../../links/device-config-controller.ts';
import {
  ACTIVE_CONFIG,
  AddressSpec,
  LinkStatus,
  MachineConfig,
  RouteSpec,
  RoutingRuleSpec,
} from '../../resources/index.ts';
import { routeControllers } from '../../routes/index.ts';
import { testSettings } from '../../testing/index.ts';
import { addressControllers } from '../index.ts';

/**
 * The controllers of addresses, routes and rules over the kernel of the network namespace that this is started in. Each line of its
 * input is a configuration, as JSON text; each line of its output the problems of all specs, by id, once they differ.
 */
const stateDir = mkdtempSync(join(tmpdir(), 'blm-network-'));
const clock = systemClock;
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const kernel = await openKernel({ clock, log: silentLog, stateDir });
const environment = { clock, random, log: silentLog, kernel, settings: testSettings({ stateDir }) };
const state = createState({ clock, log: silentLog });
for (const definition of [MachineConfig, LinkStatus]) state.register(definition);
const runtime = startRuntime({ state, clock, log: silentLog, random });
runtime.start([deviceConfigController(), ...addressControllers(environment), ...routeControllers(environment)]);

let told = '';
const tell = (): void => {
  const specs = [AddressSpec, RouteSpec, RoutingRuleSpec].flatMap((definition) => state.list<unknown>(definition));
  const problems = specs.flatMap(({ metadata: { id, annotations } }) => {
    const problem = annotations[PROBLEM_ANNOTATION];
    return problem === undefined ? [] : [[id, problem] as const];
  });
  const line = JSON.stringify(Object.fromEntries(problems));
  if (line !== told) console.log(line);
  told = line;
};
for (const definition of [AddressSpec, RouteSpec, RoutingRuleSpec]) state.watch<unknown>(definition, {}, tell);
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  const config = loadNodeConfig(JSON.parse(line));
  const old = state.get(MachineConfig, ACTIVE_CONFIG);
  if (old === undefined) state.create(MachineConfig, ACTIVE_CONFIG, config);
  else state.update(MachineConfig, ACTIVE_CONFIG, config, { version: old.metadata.version });
}
await runtime[Symbol.asyncDispose]();
await kernel[Symbol.asyncDispose]();
rmSync(stateDir, { recursive: true });
