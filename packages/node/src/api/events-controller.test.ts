import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { machineEventsProto } from '@bloomery/wire';
import { NodeAddress } from '../resources/addresses.ts';
import { DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';
import { HostnameStatus } from '../resources/names.ts';
import { NetworkStatus } from '../resources/network-status.ts';
import { eventsController } from './events-controller.ts';
import type { NodeEvents } from './node-events.ts';
import { nodeServices } from './node-services.ts';

/** A controller at work, and what it told, in one line each. */
async function start(): Promise<{ runtime: TestRuntime; told: string[] }> {
  const told: string[] = [];
  const events: NodeEvents = {
    publish: (schema, message) => {
      const { $typeName: _, ...facts } = message as Record<string, unknown>;
      told.push(`${schema.name} ${JSON.stringify(facts)}`);
    },
    stream: () => assert.fail('nobody asks'),
  };
  const runtime = startTestRuntime([eventsController(events)]);
  await runtime.settled();
  return { runtime, told };
}

const MAINTENANCE = machineEventsProto.MachineStatusEvent_MachineStage.MAINTENANCE;

describe('events of a node', () => {
  it('begin with its state and its services', async () => {
    const { runtime, told } = await start();
    await using _ = runtime;
    const [status = '', ...services] = told;
    assert.ok(status.startsWith(`MachineStatusEvent {"stage":${MAINTENANCE},"status":{"ready":false,`), status);
    assert.deepEqual(
      services.map((line) => /"service":"([^"]+)"/.exec(line)?.[1]),
      ['apid', 'controller-runtime', 'machined'],
    );
  });

  it('tell of addresses and of being ready, and of nothing twice', async () => {
    const { runtime, told } = await start();
    await using _ = runtime;
    told.length = 0;
    await runtime.put(HostnameStatus, 'hostname', HostnameStatus.make({ hostname: 'a' }));
    assert.deepEqual(told, []);
    await runtime.put(NodeAddress, 'current', NodeAddress.make({ addresses: ['10.0.0.1/24', 'fd00::1/64'] }));
    assert.deepEqual(told, ['AddressEvent {"hostname":"a","addresses":["10.0.0.1","fd00::1"]}']);
    told.length = 0;
    const ready = { addressReady: true, connectivityReady: true, hostnameReady: true, etcFilesReady: true };
    await runtime.put(NetworkStatus, 'status', NetworkStatus.make(ready));
    assert.deepEqual(told, [
      `MachineStatusEvent {"stage":${MAINTENANCE},"status":{"ready":true,"unmetConditions":[]}}`,
    ]);
    told.length = 0;
    await runtime.put(NodeAddress, 'routed', NodeAddress.make({ addresses: ['10.0.0.1/24'] }));
    assert.deepEqual(told, []);
  });

  it('tell of the name server, with why a listener waits', async () => {
    const { runtime, told } = await start();
    await using _ = runtime;
    told.length = 0;
    await runtime.put(HostDnsConfig, 'config', HostDnsConfig.make({ enabled: true }));
    await runtime.put(DnsResolveCache, 'udp-127.0.0.53:53', DnsResolveCache.make({ status: 'port 53 is taken' }));
    const [, waiting] = told;
    assert.match(waiting ?? '', /"service":"dns-resolve-cache".*"udp-127\.0\.0\.53:53: port 53 is taken"/);
    told.length = 0;
    await runtime.put(DnsResolveCache, 'udp-127.0.0.53:53', DnsResolveCache.make({ status: 'running' }));
    assert.equal(told.length, 1);
    const dns = nodeServices(runtime.state).find(({ id }) => id === 'dns-resolve-cache');
    assert.deepEqual([dns?.state, dns?.isHealthy, dns?.message], ['Running', true, '1 listeners']);
  });
});
