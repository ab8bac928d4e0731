import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, createFakeClock, silentLog } from '@bloomery/ports';
import { createBmcGate } from './bmc-gate.ts';
import { createIpmiClient } from './ipmi-client.ts';

describe('the time of an IPMI call', () => {
  it('is shared by the cipher suites in whole milliseconds, as programs are started with no others', async () => {
    const fake = createFakeClock();
    let nowMs = 0;
    // A millisecond is gone with each look.
    const clock: Clock = { ...fake, nowMs: () => nowMs++ };
    const given: number[] = [];
    const client = createIpmiClient(
      { host: '10.0.0.1', port: 623, user: 'u', password: 'p', interface: 'lanplus' },
      {
        clock,
        log: silentLog,
        gate: createBmcGate(fake, 0),
        suites: new Map(),
        scriptFile: async () => '/script',
        run: async (_args, _password, timeoutMs) => {
          given.push(timeoutMs);
          return { code: undefined, stdout: '', stderr: '' };
        },
      },
    );
    await assert.rejects(client.isPoweredOn(), /no answer/);
    assert.deepEqual(given, [4_999, 9_998]);
  });
});
