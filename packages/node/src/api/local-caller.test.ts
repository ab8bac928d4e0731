import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { localCallerUid } from './local-caller.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, remote: string, uid: number): string =>
  `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000 ${uid}        0 4711 1 0000000000000000 20 4 30 10 -1`;

describe('the user of a caller', () => {
  it('is told by the other end of its connection, on both families', () => {
    const root = mkdtempSync(join(tmpdir(), 'blm-caller-'));
    mkdirSync(join(root, 'proc/self/net'), { recursive: true });
    // 127.0.0.1:5000 -> 127.0.0.1:50000, and the same at port 5001 by a socket of both families.
    writeFileSync(join(root, 'proc/self/net/tcp'), [HEAD, row('0100007F:1388', '0100007F:C350', 1000)].join('\n'));
    const mapped = '0000000000000000FFFF00000100007F';
    writeFileSync(join(root, 'proc/self/net/tcp6'), [HEAD, row(`${mapped}:1389`, `${mapped}:C350`, 33)].join('\n'));
    assert.equal(localCallerUid({ host: '127.0.0.1', port: 5000 }, root), 1000);
    assert.equal(localCallerUid({ host: '::ffff:127.0.0.1', port: 5000 }, root), 1000);
    assert.equal(localCallerUid({ host: '127.0.0.1', port: 5001 }, root), 33);
    assert.equal(localCallerUid({ host: '10.0.0.9', port: 5000 }, root), undefined);
    rmSync(root, { recursive: true });
    assert.equal(localCallerUid({ host: '127.0.0.1', port: 5000 }, root), undefined);
  });

  it('is this one for a connection of this process', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const socket = connect(address.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    assert.equal(localCallerUid({ host: '127.0.0.1', port: socket.localPort ?? 0 }, '/'), process.getuid?.());
    socket.destroy();
    server.close();
  });
});
