import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { inodesAt, portOwner } from './port-owner.ts';

const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  111: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 20735 2 0000000000000000 0
  222: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 20736 2 0000000000000000 0
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3001 1
   1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:9999 01 00000000:00000000 00:00000000 00000000     0        0 3002 1
`;

describe('sockets at an address, from the tables of the kernel', () => {
  const cases: [name: string, table: string, transport: 'udp' | 'tcp', host: string, port: number, want: string[]][] = [
    ['the very address', UDP, 'udp', '127.0.0.53', 53, ['20735']],
    ['another address of the same port', UDP, 'udp', '127.0.0.1', 53, []],
    ['all addresses', UDP, 'udp', '10.0.0.1', 5353, ['20736']],
    ['one of those that we want all of', UDP, 'udp', '0.0.0.0', 53, ['20735']],
    ['all of both families', TCP6, 'tcp', '127.0.0.53', 53, ['3001']],
    ['connections do not keep a port', TCP6, 'tcp', '::1', 8080, []],
    ['rubbish', 'a\nb c\n', 'udp', '::1', 53, []],
    ['nothing', '', 'udp', '::1', 53, []],
  ];
  for (const [name, table, transport, host, port, want] of cases)
    it(name, () => assert.deepEqual(inodesAt(table, transport, { host, port }), want));
});

describe('the owner of a port', () => {
  it('is named, a program of Node by the file that it runs', async () => {
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const owner = await portOwner('/proc', 'tcp', { host: '127.0.0.1', port: address.port });
    assert.equal(owner, `port-owner.test (pid ${process.pid})`);
  });
});
