import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseConnections } from './connection-table.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const TCP =
  '   3: 0100007F:0CEA 0200000A:C350 01 00000010:00000020 02:000000FF 00000003  1000        7 4242 2 00000000533d8029 20 4 30 10 -1\n';
const TCP6 =
  '   0: 00000000000000000000000001000000:0035 B80D0120000000000000000001000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1581 1 0000000000000000 100 0 0 10 0\n';

describe('tables of sockets', () => {
  it('have an address, a state and figures in each row', () => {
    assert.deepEqual(parseConnections(HEAD + TCP), [
      {
        localAddress: '127.0.0.1',
        localPort: 3306,
        remoteAddress: '10.0.0.2',
        remotePort: 50_000,
        state: 1,
        txQueue: 16,
        rxQueue: 32,
        timer: 2,
        timerWhen: 255,
        retransmits: 3,
        uid: 1000,
        timeout: 7,
        inode: 4242,
        references: 2,
        pointer: 0x533d8029n,
      },
    ]);
  });

  it('have IPv6 addresses in their short form', () => {
    const [row] = parseConnections(HEAD + TCP6);
    assert.deepEqual([row?.localAddress, row?.localPort, row?.remoteAddress], ['::1', 53, '2001:db8::1']);
  });

  it('have no more than fifty thousand rows', () => {
    assert.equal(parseConnections(TCP.repeat(60_000)).length, 50_000);
  });

  it('may be rubbish', () => {
    assert.deepEqual(parseConnections(`${HEAD}   x: y\n   0: 0100007F:0CEA 0200000A:C350 01\n`), []);
    fc.assert(
      fc.property(fc.nat(TCP.length), fc.nat(10), fc.string({ maxLength: 8 }), (at, length, put) => {
        for (const row of parseConnections(TCP.slice(0, at) + put + TCP.slice(at + length))) {
          for (const value of Object.values(row)) assert.ok(typeof value !== 'number' || Number.isSafeInteger(value));
        }
      }),
    );
  });
});
