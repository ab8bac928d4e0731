import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import type { NodeConfig } from '../config/node-config.ts';
import type { EthernetState } from '../kernel/kernel.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import { EthernetSpec } from '../resources/ethernet.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { DevicesStatus } from '../resources/runtime.ts';
import { createFakeKernel, type FakeKernel } from '../testing/fake-kernel/fake-kernel.ts';
import { configuredEthernet } from './configured-ethernet.ts';
import { ethernetControllers } from './index.ts';
import { planEthernet } from './plan-ethernet.ts';

const config = (...documents: readonly Record<string, unknown>[]): NodeConfig => ({
  text: JSON.stringify(documents),
  documents: documents.map((value) => ({ kind: 'EthernetConfig', name: String(value['name']), line: 1, value })),
});
const card = (parts: Partial<EthernetState> = {}): EthernetState => ({
  ...{ port: 0, ourModes: [], peerModes: [] },
  features: [
    { name: 'rx-gro', on: true, fixed: false, wanted: true },
    { name: 'rx-lro', on: false, fixed: true, wanted: false },
  ],
  ...{ rings: { rx: 256, tx: 256, 'tx-push': false }, channels: { combined: 4 }, wakeOnLan: 0 },
  ...parts,
});
const DOCUMENT = {
  ...{ name: 'eth0', features: { 'rx-gro': false }, rings: { rx: 512, tx: 256, 'tx-push': true } },
  ...{ channels: { combined: 2 }, wakeOnLan: ['magic', 'unicast'] },
};

describe('EthernetConfig documents', () => {
  it('become specs by the name of the link, with what is not written unset', () => {
    const spec = configuredEthernet(config(DOCUMENT).documents).get('eth0');
    assert.deepEqual([spec?.rings.rx, spec?.rings['tx-push'], spec?.rings['rx-mini']], [512, true, undefined]);
    assert.deepEqual([spec?.channels.combined, spec?.features], [2, { 'rx-gro': false }]);
    assert.deepEqual(spec?.wakeOnLan, ['magic', 'unicast']);
  });

  it('are nothing but themselves: other kinds, keys and types are left out', () => {
    const odd = {
      name: 'eth0',
      rings: { rx: 'many', more: 7 },
      features: { a: 'on' },
      channels: [],
      wakeOnLan: ['never', 7],
    };
    assert.deepEqual(configuredEthernet(config(odd).documents).get('eth0'), EthernetSpec.make());
    assert.equal(configuredEthernet([{ kind: 'LinkConfig', name: 'eth0', line: 1, value: {} }]).size, 0);
  });
});

describe('the plan for a card', () => {
  const spec = (document: object) => configuredEthernet(config({ name: 'eth0', ...document }).documents).get('eth0');
  const cases: [name: string, document: object, want: object | undefined][] = [
    ['nothing is wanted', {}, undefined],
    ['all is as wanted', { rings: { rx: 256 }, features: { 'rx-gro': true }, channels: { combined: 4 } }, undefined],
    ['what differs is changed, the rest is left', { rings: { rx: 512, tx: 256 } }, { rings: { rx: 512 } }],
    ['a feature is switched', { features: { 'rx-gro': false } }, { features: { 'rx-gro': false } }],
    [
      'a feature that is fixed is asked for, so that the refusal shows',
      { features: { 'rx-lro': true } },
      { features: { 'rx-lro': true } },
    ],
    ['channels are changed', { channels: { combined: 2 } }, { channels: { combined: 2 } }],
    ['wake-on-LAN is set whole', { wakeOnLan: ['magic', 'phy'] }, { wakeOnLan: 0x21 }],
  ];
  for (const [name, document, want] of cases)
    it(name, () => assert.deepEqual(planEthernet(spec(document) ?? EthernetSpec.make(), card()), want));
});

describe('the settings of cards', () => {
  let kernel: FakeKernel;
  let runtime: TestRuntime;
  beforeEach(async () => {
    kernel = createFakeKernel();
    const random = (length: number): Uint8Array => new Uint8Array(length);
    runtime = startTestRuntime(ethernetControllers({ kernel, random }), {
      definitions: [MachineConfig, DevicesStatus],
    });
    await runtime.put(DevicesStatus, 'devices', { ready: true });
  });
  afterEach(() => runtime[Symbol.asyncDispose]());
  const problem = (): string | undefined =>
    runtime.state.get(EthernetSpec, 'eth0')?.metadata.annotations[PROBLEM_ANNOTATION];
  const changes = (): number => kernel.operations.filter((one) => one.startsWith('ethernet.change')).length;

  it('wait for the card, are set once it is there, and not again', async () => {
    await runtime.put(MachineConfig, ACTIVE_CONFIG, config({ name: 'eth0', rings: { rx: 512 } }));
    await runtime.advance(1_000);
    assert.equal(problem(), 'link eth0 is not there');
    kernel.setEthernet('eth0', card());
    const { change } = kernel.ethernet;
    Object.assign(kernel.ethernet, {
      change: async (...args: Parameters<typeof change>) => {
        await change(...args);
        kernel.setEthernet('eth0', card({ rings: { rx: 512 } }));
      },
    });
    kernel.plug({ name: 'eth0' });
    await runtime.advance(2_000);
    assert.deepEqual(kernel.ethernetChanges.get('eth0'), { rings: { rx: 512 } });
    assert.deepEqual([changes(), problem()], [1, undefined]);
    kernel.lose();
    await runtime.advance(2_000);
    assert.equal(changes(), 1);
  });

  it('that a card takes but does not follow are said, and not set for ever', async () => {
    kernel.setEthernet('eth0', card());
    kernel.plug({ name: 'eth0' });
    await runtime.put(MachineConfig, ACTIVE_CONFIG, config({ name: 'eth0', rings: { rx: 500 } }));
    for (let i = 0; i < 5; i++) {
      kernel.lose();
      await runtime.advance(5_000);
    }
    assert.deepEqual([changes(), problem()], [1, 'the card did not take {"rings":{"rx":500}}']);
  });

  it('that are refused show why, and are tried again', async () => {
    kernel.setEthernet('eth0', card());
    kernel.plug({ name: 'eth0' });
    kernel.refuse('ethernet.change', 'EOPNOTSUPP', 1);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, config({ name: 'eth0', channels: { combined: 2 } }));
    await runtime.settled();
    assert.match(problem() ?? '', /EOPNOTSUPP Operation not supported/);
    await runtime.advance(10_000);
    assert.deepEqual(kernel.ethernetChanges.get('eth0'), { channels: { combined: 2 } });
  });

  it('stay as they are when the document goes', async () => {
    kernel.plug({ name: 'eth0' });
    await runtime.put(MachineConfig, ACTIVE_CONFIG, config({ name: 'eth0' }));
    await runtime.put(MachineConfig, ACTIVE_CONFIG, config());
    await runtime.advance(1_000);
    assert.deepEqual(runtime.specs(EthernetSpec), {});
  });
});
