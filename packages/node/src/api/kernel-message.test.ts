import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { kernelMessageLine, parseKernelMessage } from './kernel-message.ts';

describe('records of the kernel', () => {
  it('have a facility, a priority, a time and a text', () => {
    assert.deepEqual(parseKernelMessage('6,339,5140900,-;NET: Registered PF_INET6\n SUBSYSTEM=net\n'), {
      facility: 'kern',
      priority: 'info',
      uptimeUs: 5_140_900,
      text: 'NET: Registered PF_INET6',
    });
    assert.deepEqual(parseKernelMessage('28,1,2,c,caller=T1;a;b'), {
      facility: 'daemon',
      priority: 'warning',
      uptimeUs: 2,
      text: 'a;b',
    });
    assert.equal(parseKernelMessage('187,1,2,-;x')?.facility, 'local7');
    assert.equal(parseKernelMessage('800,1,2,-;x')?.facility, 'unknown');
  });

  it('may have bytes that are not ASCII', () => {
    assert.equal(parseKernelMessage('6,1,2,-;caf\\xc3\\xa9')?.text, 'café');
  });

  it('are shown as talosctl dmesg does', () => {
    const message = { facility: 'kern', priority: 'info', uptimeUs: 1_500_001, text: 'hello' };
    assert.equal(
      kernelMessageLine(message, Date.parse('2026-01-02T03:04:05.600Z')),
      'kern:    info: [2026-01-02T03:04:07.100001Z]: hello\n',
    );
  });

  it('are nothing else', () => {
    for (const text of ['', ';', '6;x', '6,1;x', 'a,1,2,-;x', '6,1,2,-'])
      assert.equal(parseKernelMessage(text), undefined);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        parseKernelMessage(text);
        const message = parseKernelMessage(`6,1,2,-;${text}`);
        assert.ok(message !== undefined && !message.text.includes('\n\n'));
      }),
    );
  });
});
