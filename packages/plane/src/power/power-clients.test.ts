import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube';
import { type Secret, type Server, secret } from '@bloomery/model';
import { createFakeClock, isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { createBmcGate } from './bmc-gate.ts';
import type { RunIpmitool } from './ipmitool.ts';
import { createPowerClients } from './power-clients.ts';

type Spec = NonNullable<Server['spec']>;
const serverWith = (spec: Omit<Spec, 'accepted'>): Server => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name: 'a' },
  spec: { accepted: true, ...spec },
});

const credentials: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'bmc', namespace: 'default' },
  data: { pass: Buffer.from('test123').toString('base64') },
};

const hasSimulator = ['ipmi_sim', 'ipmitool'].every((program) => spawnSync('which', [program]).status === 0);

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

describe('power through a simulated BMC', { skip: hasSimulator ? false : 'ipmi_sim or ipmitool is missing' }, () => {
  let folder = '';
  let port = 0;
  let simulator: ChildProcess;
  const file = (name: string): string => join(folder, name);
  const state = async (name: string): Promise<string> => (await readFile(file(name), 'utf8').catch(() => '')).trim();
  const clients = createPowerClients({
    client: createMemoryClient({
      objects: [
        {
          kind: secret,
          object: credentials,
        },
      ],
    }),
    clock: systemClock,
    log: silentLog,
    spacingMs: 0,
  });
  const machine = (pass = 'test123'): Server =>
    serverWith({ bmc: { endpoint: '127.0.0.1', port, user: 'ADMIN', pass } });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bloomery-power-'));
    port = await freeUdpPort();
    await mkdir(file('state'));
    await writeFile(
      file('lan.conf'),
      `name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 ${port}
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
user 2 true "ADMIN" "test123" admin 10 none md2 md5 straight
chassis_control "${file('control')} 0x20"
`,
    );
    await writeFile(
      file('ipmi.emu'),
      'mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n',
    );
    await writeFile(
      file('control'),
      `#!/bin/sh
cd ${folder}; op=$2; shift 2
if [ $op = get ]; then
  case $1 in power) echo power:$(cat power 2>/dev/null || echo 0);; boot) echo boot:$(cat boot 2>/dev/null || echo none);; esac
else
  while [ $# -gt 0 ]; do echo "$2" > "$1"; echo "$1 $2" >> log; shift 2; done
fi
`,
    );
    await chmod(file('control'), 0o755);
    simulator = spawn('ipmi_sim', ['-c', file('lan.conf'), '-f', file('ipmi.emu'), '-s', file('state'), '-n'], {
      stdio: 'ignore',
    });
    const deadline = Date.now() + 10_000;
    for (;;) {
      const answers = await (await clients.of(machine())).isPoweredOn().then(
        () => true,
        () => false,
      );
      if (answers) break;
      assert.ok(Date.now() < deadline, 'ipmi_sim did not answer in 10 s');
    }
  });
  after(async () => {
    simulator.kill('SIGKILL');
    await clients[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('switches on and off and reads it back', async () => {
    const power = await clients.of(machine());
    assert.equal(power.isFake, false);
    assert.equal(await power.isPoweredOn(), false);
    await power.powerOn();
    assert.equal(await power.isPoweredOn(), true);
    await power.powerOff();
    assert.equal(await power.isPoweredOn(), false);
  });

  it('sets network boot for the next boot in both firmware modes, though the BMC refuses set-in-progress', async () => {
    const power = await clients.of(machine());
    for (const mode of ['bios', 'uefi'] as const) {
      await writeFile(file('boot'), 'none\n');
      await power.setPxeOnce(mode);
      assert.equal(await state('boot'), 'pxe');
    }
  });

  it('cycles a machine that is on', async () => {
    const power = await clients.of(machine());
    await power.powerOn();
    await power.powerCycle();
    const deadline = Date.now() + 10_000;
    while (!/power 0\npower 1\n$/.test(`${await state('log')}\n`)) {
      assert.ok(Date.now() < deadline, `never cycled: ${await state('log')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('takes the password from the Secret that the Server names', async () => {
    const passFrom = { secretKeyRef: { namespace: 'default', name: 'bmc', key: 'pass' } };
    const power = await clients.of(serverWith({ bmc: { endpoint: '127.0.0.1', port, user: 'ADMIN', passFrom } }));
    assert.equal(typeof (await power.isPoweredOn()), 'boolean');
  });

  it('says that the BMC cannot be reached with a wrong password, without telling it', async () => {
    const power = await clients.of(machine('sesame'));
    await assert.rejects(power.isPoweredOn(), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_BMC_UNREACHABLE'));
      assert.match(error.message, new RegExp(`^reading power through BMC 127.0.0.1:${port}: `));
      assert.doesNotMatch(JSON.stringify([error.message, error.facts]), /sesame/);
      return error.retryable;
    });
  });
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
