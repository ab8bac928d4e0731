import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { machineProto } from '@bloomery/wire';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { netstat } from './netstat.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, remote: string, state: string): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n`;

describe('sockets of the namespace', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'netstat-'));
    const net = join(root, 'proc/self/net');
    mkdirSync(net, { recursive: true });
    const tcp = row('0100007F:0001', '00000000:0000', '0A') + row('0100007F:0002', '0200007F:0003', '01');
    writeFileSync(join(net, 'tcp'), HEAD + tcp);
    writeFileSync(
      join(net, 'udp'),
      HEAD + row('00000000:0004', '00000000:0000', '07') + row('0100007F:0005', '0200007F:0006', 'FF'),
    );
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const { ALL, CONNECTED, LISTENING } = machineProto.NetstatRequest_Filter;
  const ports = async (request: MessageInitShape<typeof machineProto.NetstatRequestSchema>): Promise<string[]> =>
    (await netstat(create(machineProto.NetstatRequestSchema, request), root)).map(
      ({ l4proto, localport, state }) => `${l4proto} ${localport} ${state}`,
    );

  it('are all, those that listen, or those that are connected', async () => {
    assert.deepEqual(await ports({ filter: ALL }), ['tcp 1 10', 'tcp 2 1', 'udp 4 7', 'udp 5 7']);
    assert.deepEqual(await ports({ filter: LISTENING }), ['tcp 1 10', 'udp 4 7']);
    assert.deepEqual(await ports({ filter: CONNECTED }), ['tcp 2 1', 'udp 5 7']);
  });

  it('are of the protocols that are asked for', async () => {
    assert.deepEqual(await ports({ l4proto: { udp: true, udp6: true } }), ['udp 4 7', 'udp 5 7']);
  });
});
