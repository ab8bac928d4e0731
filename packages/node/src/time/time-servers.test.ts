import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { layeredId } from '../layers/index.ts';
import { configOf } from '../links/testing/link-world.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig, TimeServerSpec, TimeServerStatus } from '../resources/index.ts';
import { mergeTimeServers, timeControllers } from './index.ts';

const spec = (layer: TimeServerSpec['layer'], ...timeServers: string[]): TimeServerSpec => ({ timeServers, layer });

describe('merged time servers', () => {
  const cases: [name: string, specs: readonly TimeServerSpec[], want: TimeServerSpec][] = [
    ['are those of the highest layer', [spec('default', 'a'), spec('operator', 'b')], spec('operator', 'b')],
    ['are gathered on one layer', [spec('operator', 'a'), spec('operator', 'b', 'c')], spec('operator', 'a', 'b', 'c')],
    ['pass over layers that name none', [spec('default', 'a'), spec('operator')], spec('default', 'a')],
  ];
  for (const [name, specs, want] of cases) it(name, () => assert.deepEqual(mergeTimeServers(specs), want));
});

describe('time servers of the daemon', () => {
  const time = (...servers: readonly string[]) => {
    const config = configOf([]);
    return config.machine === undefined ? config : { ...config, machine: { ...config.machine, time: { servers } } };
  };

  it('are the default one, those of the network, or those of the configuration', async () => {
    await using runtime = startTestRuntime(timeControllers(), { definitions: [MachineConfig] });
    const told = () => runtime.specs(TimeServerStatus)['timeservers']?.timeServers;
    await runtime.settled();
    assert.deepEqual(told(), ['time.cloudflare.com']);
    const at = { namespace: LAYERED };
    await runtime.put(TimeServerSpec, layeredId('operator', 'timeservers'), spec('operator', '10.0.0.1'), at);
    assert.deepEqual(told(), ['10.0.0.1']);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, time('time.example.org', 'ntp.example.org'));
    assert.deepEqual(told(), ['time.example.org', 'ntp.example.org']);
    const value = { ntp: { servers: ['time.example.net'] } };
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [{ kind: 'TimeSyncConfig', line: 1, value }]));
    assert.deepEqual(told(), ['time.example.net']);
    const clock = { kind: 'TimeSyncConfig', line: 1, value: { ptp: { devices: ['/dev/ptp0'] } } };
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [clock]));
    assert.deepEqual(told(), ['/dev/ptp0']);
    await runtime.remove(MachineConfig, ACTIVE_CONFIG);
    assert.deepEqual(told(), ['10.0.0.1']);
  });
});
