import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, until } from '@bloomery/ports';
import { openUapiSocket, type UapiSocket } from './uapi-socket.ts';

/** What wireguard-go does with a request: text is sent, `silent` is nothing, `close` ends the connection. */
type Answer = string | 'silent' | 'close';

describe('requests to wireguard-go', () => {
  let dir: string;
  let clock: FakeClock;
  let server: Server;
  let socket: UapiSocket;
  let requests: string[];
  let answers: Answer[];
  let connections: Set<Socket>;

  const serve = async (folder: string): Promise<void> => {
    // Bound by a short path: the client is to find it by a long one.
    const short = join(dir, 's');
    server = createServer((connection) => {
      connections.add(connection);
      connection.on('error', () => {});
      connection.on('data', (chunk) => {
        requests.push(chunk.toString());
        const answer = answers.shift() ?? 'errno=0\n\n';
        if (answer === 'close') connection.end();
        else if (answer !== 'silent') connection.write(answer);
      });
    });
    server.listen(short);
    await once(server, 'listening');
    renameSync(short, join(folder, 'wg.sock'));
    socket = await openUapiSocket(folder, 'wg', clock);
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'blm-uapi-'));
    clock = createFakeClock();
    requests = [];
    answers = [];
    connections = new Set();
  });
  afterEach(async () => {
    await socket[Symbol.asyncDispose]();
    for (const connection of connections) connection.destroy();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Wait for this many requests, then let the time of an answer pass. */
  const passAnswerTime = async (count: number): Promise<void> => {
    await until('the request', () => requests.length >= count);
    await clock.advance(5_000);
  };

  it('are one connection each, and reach sockets in folders that are deeper than socket addresses are long', async () => {
    const deep = join(dir, 'd'.repeat(120));
    mkdirSync(deep);
    await serve(deep);
    await socket.set({ listenPort: 51_821 });
    answers = ['listen_port=51821\nerrno=0\n\n'];
    assert.deepEqual(await socket.get(), { listenPort: 51_821, peers: [] });
    assert.deepEqual(requests, ['set=1\nlisten_port=51821\n\n', 'get=1\n\n']);
    assert.equal(connections.size, 2);
  });

  it('take an answer that comes in pieces', async () => {
    await serve(dir);
    answers = ['listen_port=7'];
    const asked = socket.get();
    await until('the request', () => requests.length > 0);
    const [connection] = connections;
    connection?.write('\nerrno=0\n');
    connection?.write('\n');
    assert.deepEqual(await asked, { listenPort: 7, peers: [] });
  });

  it('are asked again once when nothing comes in 5 s', async () => {
    await serve(dir);
    answers = ['silent'];
    const asked = socket.set({ listenPort: 1 });
    await passAnswerTime(1);
    await asked;
    assert.equal(requests.length, 2);
    assert.equal(requests[0], requests[1]);
  });

  it('fail when nothing comes twice', async () => {
    await serve(dir);
    answers = ['silent', 'silent'];
    const refused = assert.rejects(socket.get(), {
      code: 'BLM_LINK_DEVICE_FAILED',
      message: /wireguard-go did not answer in 5 s/,
    });
    await passAnswerTime(1);
    await passAnswerTime(2);
    await refused;
    assert.equal(requests.length, 2);
  });

  it('are asked again when the connection is closed instead of an answer', async () => {
    await serve(dir);
    answers = ['close'];
    await socket.set({ listenPort: 1 });
    assert.equal(requests.length, 2);
  });

  it('are not asked again when they are refused: the error says why', async () => {
    await serve(dir);
    answers = ['errno=-98\n\n'];
    await assert.rejects(socket.set({ listenPort: 1 }), {
      code: 'BLM_LINK_DEVICE_FAILED',
      message: /refused the request: address already in use/,
    });
    assert.equal(requests.length, 1);
  });

  it('notice the end of a wireguard-go that is no child of ours', async () => {
    await serve(dir);
    let isOver = false;
    const ended = socket.ended().then(() => {
      isOver = true;
    });
    await socket.set({});
    assert.equal(isOver, false);
    for (const connection of connections) connection.destroy();
    await ended;
  });
});
