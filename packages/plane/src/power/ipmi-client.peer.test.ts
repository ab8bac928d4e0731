import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type Secret, type Server, secret } from '@bloomery/model';
import { isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { type RunIpmitool, runIpmitool } from './ipmitool.ts';
import { createPowerClients } from './power-clients.ts';
import {
  freeUdpPort,
  type IpmiSimulator,
  SIMULATOR_USER,
  startIpmiSimulator,
  whyNoSimulator,
} from './testing/ipmi-simulator.ts';

type Bmc = NonNullable<NonNullable<Server['spec']>['bmc']>;

const credentials: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'bmc', namespace: 'default' },
  data: { pass: Buffer.from(SIMULATOR_USER.password).toString('base64') },
};

describe('power through a simulated BMC', { skip: whyNoSimulator() ?? false }, () => {
  let bmc: IpmiSimulator;
  const suites: string[] = [];
  const run: RunIpmitool = (args, password, timeoutMs) => {
    suites.push(args.includes('-C') ? (args[args.indexOf('-C') + 1] ?? '') : 'none');
    assert.ok(!args.includes(password), 'the password stands in the arguments');
    return runIpmitool(args, password, timeoutMs);
  };
  const client = createMemoryClient({ objects: [{ kind: secret, object: credentials }] });
  const clients = createPowerClients({ client, clock: systemClock, log: silentLog, spacingMs: 0, run });
  const machine = (given: Partial<Bmc> = {}): Server => ({
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name: 'a' },
    spec: {
      accepted: true,
      bmc: { endpoint: bmc.host, port: bmc.port, user: SIMULATOR_USER.user, pass: SIMULATOR_USER.password, ...given },
    },
  });

  before(async () => {
    bmc = await startIpmiSimulator();
  });
  after(async () => {
    await bmc[Symbol.asyncDispose]();
    await clients[Symbol.asyncDispose]();
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

  it('tries cipher suite 17, goes on with 3, and stays with it', async () => {
    const fresh = createPowerClients({ client, clock: systemClock, log: silentLog, spacingMs: 0, run });
    suites.length = 0;
    await (await fresh.of(machine())).isPoweredOn();
    await (await fresh.of(machine())).isPoweredOn();
    assert.deepEqual(suites, ['17', '3', '3']);
    await fresh[Symbol.asyncDispose]();
  });

  for (const mode of ['bios', 'uefi'] as const) {
    it(`sets network boot for the next ${mode} boot, though the BMC refuses set-in-progress`, async () => {
      await bmc.forgetBoot();
      await (await clients.of(machine())).setPxeOnce(mode);
      assert.equal(await bmc.read('boot'), 'pxe');
    });
  }

  it('cycles a machine that is on', async () => {
    const power = await clients.of(machine());
    await power.powerOn();
    await power.powerCycle();
    const deadline = Date.now() + 10_000;
    for (;;) {
      const log = await bmc.log();
      if (log.slice(-2).join() === 'power 0,power 1') return;
      assert.ok(Date.now() < deadline, `never cycled: ${log.join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('takes the password from the Secret that the Server names', async () => {
    const passFrom = { secretKeyRef: { namespace: 'default', name: 'bmc', key: 'pass' } };
    const power = await clients.of(machine({ pass: '', passFrom }));
    assert.equal(typeof (await power.isPoweredOn()), 'boolean');
  });

  it('speaks IPMI 1.5 where the Server says so', async () => {
    suites.length = 0;
    const power = await clients.of(machine({ interface: 'lan' }));
    assert.equal(typeof (await power.isPoweredOn()), 'boolean');
    assert.deepEqual(suites, ['none']);
  });

  for (const [what, given] of [
    ['password', { pass: 'sesame' }],
    ['user', { user: 'nobody' }],
    ['password over IPMI 1.5', { pass: 'sesame', interface: 'lan' }],
  ] as const) {
    it(`says that the BMC refuses a wrong ${what}, without telling it`, async () => {
      const power = await clients.of(machine(given));
      await assert.rejects(power.isPoweredOn(), (error) => {
        assert.ok(isBloomeryError(error, 'BLM_BMC_AUTH'), String(error));
        const text = `reading power through BMC 127.0.0.1:${bmc.port}: it refuses user or password`;
        assert.equal(error.message, text);
        assert.doesNotMatch(JSON.stringify(error.facts), /sesame|test123/);
        return error.retryable;
      });
    });
  }

  it('gives a BMC that says nothing ten seconds, and calls it unreachable', async () => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const limits: number[] = [];
    const hurried: RunIpmitool = (args, password, timeoutMs) => {
      limits.push(timeoutMs);
      return runIpmitool(args, password, Math.min(timeoutMs, 200));
    };
    const chosen = createPowerClients({ client, clock: systemClock, log: silentLog, spacingMs: 0, run: hurried });
    const power = await chosen.of(machine({ port: silent.address().port }));
    await assert.rejects(power.isPoweredOn(), (error) => isBloomeryError(error, 'BLM_BMC_UNREACHABLE'));
    assert.equal(limits.length, 2);
    assert.ok((limits[0] ?? 0) <= 5_000, 'the first suite may use half of the ten seconds');
    assert.ok((limits[1] ?? 0) <= 10_000);
    await new Promise<void>((resolve) => silent.close(() => resolve()));
    await chosen[Symbol.asyncDispose]();
  });

  it('calls a BMC without listener and one without address unreachable', async () => {
    const hurried: RunIpmitool = (args, password) => runIpmitool(args, password, 300);
    const chosen = createPowerClients({ client, clock: systemClock, log: silentLog, spacingMs: 0, run: hurried });
    for (const given of [{ port: await freeUdpPort() }, { endpoint: 'bmc.invalid' }]) {
      const power = await chosen.of(machine(given));
      await assert.rejects(power.powerOn(), (error) => isBloomeryError(error, 'BLM_BMC_UNREACHABLE'));
      await assert.rejects(power.setPxeOnce('bios'), (error) => isBloomeryError(error, 'BLM_BMC_UNREACHABLE'));
    }
    await chosen[Symbol.asyncDispose]();
  });
});
