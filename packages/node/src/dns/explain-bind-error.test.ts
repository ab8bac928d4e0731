import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainBindError } from './explain-bind-error.ts';

const failure = (code: string): Error => Object.assign(new Error(`bind ${code}`), { code });

describe('what keeps a listener from its address', () => {
  const cases: [name: string, error: unknown, want: string][] = [
    ['a port whose owner cannot be seen', failure('EADDRINUSE'), 'udp 127.0.0.53:53 is taken'],
    ['no such address', failure('EADDRNOTAVAIL'), 'udp 127.0.0.53:53: this host does not have the address'],
    ['no right to it', failure('EACCES'), 'udp 127.0.0.53:53: not permitted; ports below 1024 need root'],
    ['no right at all', failure('EPERM'), 'udp 127.0.0.53:53: not permitted; ports below 1024 need root'],
    ['another error of the system', failure('ENOBUFS'), 'udp 127.0.0.53:53: bind ENOBUFS'],
    ['what is no error', 'odd', 'udp 127.0.0.53:53: odd'],
  ];
  for (const [name, error, want] of cases)
    it(name, async () => {
      // A folder without tables of sockets.
      const listen = { host: '127.0.0.53', port: 53 };
      assert.equal(await explainBindError(import.meta.dirname, { transport: 'udp', listen, error }), want);
    });
});
