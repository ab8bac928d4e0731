import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BloomeryError, silentLog } from '@bloomery/ports';
import { type AskIpmi, parseRawAnswer, userName } from './ipmi-message.ts';
import { findBmcAddress, setUpBmcUser } from './set-up-bmc.ts';

/** A BMC with its LAN on channel 3 and these users. */
function fakeBmc(users: (string | undefined)[]): { ask: AskIpmi; said: string[] } {
  const said: string[] = [];
  const refuse = (): never => {
    throw new BloomeryError('BLM_AGENT_IPMI_FAILED', 'refused');
  };
  const name = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(16)]).subarray(0, 16);
  const ask: AskIpmi = async ([netFn, command, ...data]) => {
    said.push(Buffer.from([netFn, command, ...data]).toString('hex'));
    if (netFn === 0x0c) {
      if (data[0] !== 3) return refuse();
      return data[1] === 3 ? Uint8Array.of(0x11, 10, 77, 0, 101) : Uint8Array.of(0x11, 0x6f, 0x02);
    }
    if (command === 0x42) return data[0] === 3 ? Uint8Array.of(3, 0x04) : Uint8Array.of(data[0] ?? 0, 0x05);
    if (command === 0x44) return Uint8Array.of(users.length, 0, 0, 0);
    if (command === 0x46) return name(users[(data[0] ?? 0) - 1] ?? refuse());
    return new Uint8Array(0);
  };
  return { ask, said };
}
const deps = (ask: AskIpmi) => ({ ask, log: silentLog, random: (n: number) => new Uint8Array(n).fill(1) });

describe('the set-up of a BMC', () => {
  it('finds the LAN channel wherever it is', async () => {
    assert.deepEqual(await findBmcAddress(deps(fakeBmc([]).ask)), { channel: 3, ip: '10.77.0.101', port: 623 });
  });
  const choices: [name: string, users: (string | undefined)[], want: string][] = [
    ['our user of an earlier time', ['', '', 'sidero', ''], '064503'],
    ['the first free user', ['', 'root', '(Empty User)', ''], '064503'],
    ['a user whose name cannot be read', ['', 'root', undefined], '064503'],
  ];
  for (const [name, users, want] of choices) {
    it(`takes ${name}`, async () => {
      const { ask, said } = fakeBmc(users);
      assert.deepEqual(await setUpBmcUser(3, deps(ask)), { user: 'sidero', password: 'BBBBBBBBBBBBBBBB' });
      assert.ok(said.some((request) => request.startsWith(want)));
      assert.ok(said.includes('064393030400'));
    });
  }
  it('says so when all users are taken', async () => {
    await assert.rejects(setUpBmcUser(3, deps(fakeBmc(['', 'root', 'admin']).ask)), /all 3 are taken/);
  });
});

it('answers of ipmitool are hex pairs, and nothing else is taken for one', () => {
  assert.deepEqual([...parseRawAnswer(' 11 0a 4d\n 00 65\n')], [0x11, 0x0a, 0x4d, 0, 0x65]);
  assert.throws(() => parseRawAnswer('Unable to send'), { code: 'BLM_AGENT_IPMI_FAILED' });
  assert.equal(userName(Buffer.from('sidero\0\0rubbish')), 'sidero');
});
