import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import type { Server } from '@bloomery/model';
import { BloomeryError, createFakeClock, isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { createBmcGate } from './bmc-gate.ts';
import type { RunIpmitool } from './ipmitool.ts';
import { createManagementApiClient } from './management-api-client.ts';
import { createPowerClients } from './power-clients.ts';

type Spec = NonNullable<Server['spec']>;
const serverWith = (spec: Omit<Spec, 'accepted'>): Server => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name: 'a' },
  spec: { accepted: true, ...spec },
});

describe('power through the management API', () => {
  const calls: string[] = [];
  let on = true;
  let answer = 200;
  const api = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url === '/poweroff') on = false;
    response.writeHead(answer).end(request.url === '/status' ? JSON.stringify({ PoweredOn: on }) : '');
  });
  const clients = createPowerClients({ client: createMemoryClient(), clock: systemClock, log: silentLog });
  let machine: Server;
  before(async () => {
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    machine = serverWith({ managementApi: { endpoint: `127.0.0.1:${(api.address() as AddressInfo).port}` } });
  });
  after(() => {
    api.closeAllConnections();
    api.close();
  });

  it('posts every action and reads the state', async () => {
    const power = await clients.of(machine);
    await power.setPxeOnce('uefi');
    await power.powerOn();
    await power.powerCycle();
    assert.equal(await power.isPoweredOn(), true);
    await power.powerOff();
    assert.equal(await power.isPoweredOn(), false);
    const actions = ['POST /pxeboot', 'POST /poweron', 'POST /reboot', 'GET /status', 'POST /poweroff', 'GET /status'];
    assert.deepEqual(calls, actions);
  });

  it('answers from memory up to the asked age, and asks again after an action', async () => {
    const power = await clients.of(machine);
    calls.length = 0;
    await clients.isPoweredOn(machine, 0);
    await clients.isPoweredOn(machine, 10_000);
    assert.deepEqual(calls, ['GET /status']);
    await power.powerOff();
    await clients.isPoweredOn(machine, 10_000);
    assert.deepEqual(calls, ['GET /status', 'POST /poweroff', 'GET /status']);
  });

  it('reports a refusal and a dead endpoint as what they are', async () => {
    answer = 500;
    const power = await clients.of(machine);
    await assert.rejects(power.powerOn(), (error) => isBloomeryError(error, 'BLM_BMC_FAILED'));
    answer = 200;
    const dead = await clients.of(serverWith({ managementApi: { endpoint: '127.0.0.1:1' } }));
    await assert.rejects(dead.powerOn(), (error) => isBloomeryError(error, 'BLM_BMC_UNREACHABLE'));
  });
});

describe('a management API that misbehaves', () => {
  const bodies = ['', '[]', 'null', '{"PoweredOn":"yes"}', `{"PoweredOn":true,"more":"${'x'.repeat(70_000)}"}`];
  for (const body of bodies) {
    it(`is an error, not a state: ${body.slice(0, 30) || '(empty)'}`, async () => {
      const api = createServer((_request, response) => void response.end(body));
      await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
      const endpoint = `127.0.0.1:${(api.address() as AddressInfo).port}`;
      const clients = createPowerClients({ client: createMemoryClient(), clock: systemClock, log: silentLog });
      const power = await clients.of(serverWith({ managementApi: { endpoint } }));
      await assert.rejects(power.isPoweredOn(), (e) => e instanceof BloomeryError && e.code.startsWith('BLM_BMC_'));
      api.closeAllConnections();
      api.close();
    });
  }

  it('fails and lies as often as the dice say', async () => {
    const calls: string[] = [];
    const api = createServer((request, response) => {
      calls.push(request.url ?? '');
      response.end('{"PoweredOn":true}');
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const endpoint = `127.0.0.1:${(api.address() as AddressInfo).port}`;
    const power = (explicit: number, silent: number) =>
      createManagementApiClient(endpoint, { explicit, silent, random: () => 0.5 });
    await assert.rejects(power(1, 0).powerOn(), /simulated failure from the power management/);
    await power(0, 1).powerOn();
    assert.deepEqual(calls, []);
    assert.equal(await power(0, 1).isPoweredOn(), false);
    assert.equal(await power(0, 0).isPoweredOn(), true);
    api.closeAllConnections();
    api.close();
  });
});

describe('choosing how to switch a Server', () => {
  const clients = createPowerClients({ client: createMemoryClient(), clock: systemClock, log: silentLog });

  it('falls back to the fake without BMC, and while a BMC has no credentials yet', async () => {
    assert.equal((await clients.of(serverWith({}))).isFake, true);
    assert.equal((await clients.of(serverWith({ bmc: { endpoint: '10.0.0.1' } }))).isFake, true);
    assert.equal(await clients.isPoweredOn(serverWith({}), 0), true);
  });

  it('names the Secret that is missing', async () => {
    const userFrom = { secretKeyRef: { namespace: 'default', name: 'gone', key: 'user' } };
    await assert.rejects(clients.of(serverWith({ bmc: { endpoint: '10.0.0.1', userFrom } })), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_BMC_SECRET_MISSING'));
      assert.match(error.message, /Secret default\/gone does not exist/);
      return true;
    });
  });

  it('remembers the cipher suite that worked', async () => {
    const suites: string[] = [];
    const run: RunIpmitool = async (args) => {
      const suite = args[args.indexOf('-C') + 1] ?? '';
      suites.push(suite);
      return suite === '3'
        ? { code: 0, stdout: ' 01 00 00\n', stderr: '' }
        : { code: 1, stdout: '', stderr: 'Error: Unable to establish IPMI v2 / RMCP+ session' };
    };
    const chosen = createPowerClients({
      client: createMemoryClient(),
      clock: systemClock,
      log: silentLog,
      run,
      spacingMs: 0,
    });
    const machine = serverWith({ bmc: { endpoint: '10.0.0.1', user: 'u', pass: 'p' } });
    assert.equal(await chosen.isPoweredOn(machine, 0), true);
    assert.equal(await chosen.isPoweredOn(machine, 0), true);
    assert.deepEqual(suites, ['17', '3', '3']);
  });
});

describe('the gate before each BMC', () => {
  it('lets one call at a time through, spaced, and does not hold up other BMCs', async () => {
    const clock = createFakeClock(0);
    const gate = createBmcGate(clock, 1000);
    const started: string[] = [];
    const call = (name: string) => async (): Promise<void> => {
      started.push(`${name}@${clock.nowMs()}`);
      await clock.sleep(100);
    };
    const all = [gate.run('x', call('x1')), gate.run('x', call('x2')), gate.run('y', call('y1'))];
    await clock.advance(5000);
    await Promise.all(all);
    assert.deepEqual(started, ['x1@0', 'y1@0', 'x2@1100']);
  });
});
