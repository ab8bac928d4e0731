import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { parseCommandLine, readAgentArguments } from './kernel-arguments.ts';
import { createKernelLog } from './kernel-log.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

describe('the kernel arguments of the agent', () => {
  it('name the interface, the plane and the secret of this boot', () => {
    const text =
      'vmlinuz console=ttyS0 sidero.mac=52-54-00-77-00-01 sidero.endpoint=10.77.0.1:8081 sidero.token=abc=\n';
    assert.deepEqual(readAgentArguments(text), {
      mac: '52:54:00:77:00:01',
      endpoint: { host: '10.77.0.1', port: 8081 },
      finish: 'reboot',
      token: 'abc=',
    });
  });
  it('know IPv6 endpoints, an identity given by the plane, and powering off', () => {
    const text = 'sidero.mac=52:54:00:77:00:01 sidero.endpoint=[fd00::1]:80 sidero.uuid=AB-1 sidero.finish=poweroff';
    assert.deepEqual(readAgentArguments(text), {
      mac: '52:54:00:77:00:01',
      endpoint: { host: 'fd00::1', port: 80 },
      finish: 'poweroff',
      uuid: 'ab-1',
    });
  });
  it('without mac or endpoint are refused by name', () => {
    assert.throws(() => readAgentArguments('sidero.endpoint=a:1'), /sidero\.mac is missing/);
    assert.throws(
      () => readAgentArguments('sidero.mac=52:54:00:77:00:01 sidero.endpoint=a'),
      /sidero\.endpoint is "a"/,
    );
  });
  it('keep blanks in quotes, and the last of repeated keys', () => {
    assert.deepEqual(
      [...parseCommandLine('a=1 b="x y" a=2 flag')],
      [
        ['a', '2'],
        ['b', 'x y'],
        ['flag', ''],
      ],
    );
  });
  it(`of any text are read or refused, never anything else (seed ${seed})`, () => {
    const word = fc.constantFrom('sidero.mac=', 'sidero.endpoint=', '52:54:00:77:00:01', '10.0.0.1:80', ' ', '"', '=');
    const text = fc
      .array(fc.oneof(word, fc.string({ maxLength: 10 })), { maxLength: 20 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (line) => {
        try {
          readAgentArguments(line);
        } catch (error) {
          assert.ok(error instanceof BloomeryError);
        }
      }),
      { seed, numRuns: 5000 },
    );
  });
});

it('lines for the kernel log are single, bounded and readable', () => {
  const lines: string[] = [];
  const log = createKernelLog((line) => lines.push(line)).with({ disk: '/dev/vda' });
  log.info('disk.range', { start: 0n, method: 'zero out', left: 3 });
  log.error('disk.failed', { error: `two\nlines ${'x'.repeat(2000)}` });
  assert.equal(lines[0], '<6>[sidero] disk.range disk=/dev/vda start=0 method="zero out" left=3');
  assert.ok(lines[1]?.startsWith('<3>[sidero] disk.failed') && !lines[1].includes('\n') && lines[1].length <= 900);
});
