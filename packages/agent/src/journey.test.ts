import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BloomeryError, createFakeClock, silentLog } from '@bloomery/ports';
import { decodeSmbios } from '@bloomery/wire';
import { type Machine, type Orders, type Plane, runJourney } from './journey.ts';

const smbios = decodeSmbios(new Uint8Array(0), { major: 3, minor: 0, revision: 0 });
const NOTHING: Orders = { wipe: false, insecureWipe: false, setupBmc: false, rebootTimeoutMs: 30_000 };

/** Runs a journey in virtual time and returns what the plane and the machine saw, in order. */
async function journey(
  orders: Partial<Orders>,
  faults: Partial<Plane & Machine> = {},
): Promise<{ seen: string[]; error: unknown }> {
  const seen: string[] = [];
  const clock = createFakeClock();
  const note =
    (what: string) =>
    async (...args: unknown[]): Promise<void> => {
      seen.push([what, ...args].join(' '));
    };
  const plane: Plane = {
    register: async () => {
      seen.push('register');
      return { ...NOTHING, ...orders };
    },
    reportAddresses: note('addresses'),
    heartbeat: note('heartbeat'),
    reportWiped: note('wiped'),
    reportBmcAddress: note('bmc address'),
    reportBmcUser: note('bmc user'),
    ...faults,
  };
  const machine: Machine = {
    hostname: 'm1',
    inventory: async () => ({ smbios, disks: [], links: [] }),
    addresses: async () => ['10.0.0.5'],
    wipe: async (_inventory, mode) => {
      seen.push(`wipe ${mode}`);
      await clock.sleep(25_000);
      return ['/dev/vda'];
    },
    bmcAddress: async () => ({ channel: 1, ip: '10.0.0.9', port: 623 }),
    bmcUser: async () => ({ user: 'sidero', password: 'secret' }),
    ...faults,
  };
  let error: unknown;
  let done = false;
  const running = runJourney({ plane, machine, clock, log: silentLog, uuid: 'u' })
    .catch((caught: unknown) => {
      error = caught;
    })
    .finally(() => {
      done = true;
    });
  for (let n = 0; n < 200 && !done; n++) await clock.advance(5_000);
  await running;
  return { seen, error };
}

describe('the journey of an agent', () => {
  it('of a machine that is not accepted ends with its addresses', async () => {
    assert.deepEqual((await journey({})).seen, ['register', 'addresses u 10.0.0.5']);
  });
  it('wipes with a heartbeat every third of the reboot timeout, and has the BMC ready before it reports clean', async () => {
    const { seen } = await journey({ wipe: true, insecureWipe: true, setupBmc: true });
    assert.deepEqual(seen, [
      'register',
      'addresses u 10.0.0.5',
      'heartbeat u',
      'wipe fast',
      'heartbeat u',
      'heartbeat u',
      'bmc address u 10.0.0.9 623',
      'bmc user u sidero secret',
      'wiped u',
    ]);
  });
  it('wipes in full unless told that fast is enough', async () => {
    assert.ok((await journey({ wipe: true })).seen.includes('wipe full'));
  });
  it('never reports a wipe that failed', async () => {
    const wipe = async (): Promise<never> => {
      throw new BloomeryError('BLM_AGENT_DISK_FAILED', 'wiping /dev/vda: broken');
    };
    const { seen, error } = await journey({ wipe: true }, { wipe });
    assert.match(String(error), /broken/);
    assert.ok(!seen.includes('wiped u'));
  });
  it('goes on without a BMC and without heartbeats', async () => {
    const refuse = async (): Promise<never> => {
      throw new BloomeryError('BLM_AGENT_IPMI_FAILED', 'no');
    };
    const { seen, error } = await journey({ wipe: true, setupBmc: true }, { heartbeat: refuse, bmcUser: refuse });
    assert.equal(error, undefined);
    assert.equal(seen.at(-1), 'wiped u');
  });
  it('asks for five minutes when the plane does not answer, then gives up', async () => {
    let tries = 0;
    const register = async (): Promise<never> => {
      tries += 1;
      throw new BloomeryError('BLM_GRPC_STATUS', 'unavailable');
    };
    const { error } = await journey({}, { register });
    assert.match(String(error), /unavailable/);
    assert.equal(tries, 11);
  });
});
