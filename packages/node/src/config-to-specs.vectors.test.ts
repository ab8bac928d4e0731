import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Controller, ResourceDefinition } from '@bloomery/cosi';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { parse } from 'yaml';
import { addressConfigController } from './addresses/address-config-controller.ts';
import { addressId } from './addresses/configured-addresses.ts';
import { readNodeConfig } from './config/load-node-config.ts';
import { createProblems, mergeController } from './layers/index.ts';
import { deviceConfigController } from './links/device-config-controller.ts';
import { linkConfigController } from './links/link-config-controller.ts';
import { linkMergeController } from './links/link-merge-controller.ts';
import { operatorConfigController } from './operators/operator-config-controller.ts';
import { operatorId } from './operators/operator-id.ts';
import {
  ACTIVE_CONFIG,
  AddressSpec,
  LinkSpec,
  LinkStatus,
  MachineConfig,
  OperatorSpec,
  RouteSpec,
} from './resources/index.ts';
import { routeConfigController } from './routes/route-config-controller.ts';
import { routeId } from './routes/route-id.ts';
import { testSettings } from './testing/index.ts';

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../test/vectors');
/** The vectors that every project has, and more of the same shape: made by the same controllers. */
const FILES = [join(root, 'node/config_to_specs.json'), join(import.meta.dirname, 'testing/config-to-specs.json')];

interface Case {
  readonly name: string;
  readonly config: string;
  /** Those of the first case that has any, unless given. */
  readonly links?: readonly (Partial<LinkStatus> & { readonly id: string })[];
  readonly expected: Readonly<
    Record<'addresses' | 'links' | 'operators' | 'routes', Readonly<Record<string, unknown>>>
  >;
}

/** From the configuration to the merged specs; nothing touches a kernel. */
function controllers(): readonly Controller[] {
  const settings = testSettings({ manageAll: true });
  const noProblems = createProblems();
  return [
    deviceConfigController(),
    linkConfigController({ settings }),
    linkMergeController(noProblems),
    addressConfigController({ settings }),
    mergeController({ name: 'network.AddressMergeController', definition: AddressSpec, idOf: addressId }),
    routeConfigController(),
    mergeController({ name: 'network.RouteMergeController', definition: RouteSpec, idOf: routeId }),
    operatorConfigController({ settings }),
    mergeController({ name: 'network.OperatorMergeController', definition: OperatorSpec, idOf: operatorId }),
  ];
}

/** As `talosctl get -o yaml` shows the specs, by id. */
function shown<S>(runtime: TestRuntime, definition: ResourceDefinition<S>): Readonly<Record<string, unknown>> {
  const specs = Object.entries(runtime.specs(definition));
  return Object.fromEntries(specs.map(([id, spec]) => [id, parse(definition.codec.toYaml(spec))]));
}

for (const file of FILES) describeFile(file);

function describeFile(file: string): void {
  const skip = existsSync(file) ? false : `${file} does not exist`;
  describe(`vectors: ${basename(file)}`, { skip }, () => runCases(file, skip));
}

function runCases(file: string, skip: string | false): void {
  const cases: readonly Case[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
  const first = cases.find((other) => other.links !== undefined)?.links ?? [];
  for (const { name, config, links = first, expected } of cases) {
    it(name, async () => {
      await using runtime = startTestRuntime(controllers(), { definitions: [MachineConfig, LinkStatus] });
      for (const { id, ...link } of links) runtime.state.create(LinkStatus, id, LinkStatus.make(link));
      if (config !== '') runtime.state.create(MachineConfig, ACTIVE_CONFIG, readNodeConfig(config));
      await runtime.settled();
      assert.deepEqual(shown(runtime, LinkSpec), expected.links);
      assert.deepEqual(shown(runtime, AddressSpec), expected.addresses);
      assert.deepEqual(shown(runtime, RouteSpec), expected.routes);
      assert.deepEqual(shown(runtime, OperatorSpec), expected.operators);
    });
  }
}
