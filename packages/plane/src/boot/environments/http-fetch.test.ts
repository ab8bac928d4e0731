import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpFetch } from './http-fetch.ts';

const BODY_BYTES = 4 * 1024 * 1024;

describe('a download', () => {
  let server: Server;
  let base = '';
  before(async () => {
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (request) => {
        if (String(request).startsWith('GET /moved')) {
          return socket.end('HTTP/1.1 302 Found\r\nlocation: /file\r\ncontent-length: 0\r\n\r\n');
        }
        if (String(request).startsWith('GET /loop')) {
          return socket.end('HTTP/1.1 302 Found\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n');
        }
        // As small web servers do: the length is told, and the connection closed as soon as everything is sent.
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`);
        return socket.end(Buffer.alloc(BODY_BYTES, 7));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  });
  after(() => server.close());

  const init = { headers: {}, signal: new AbortController().signal };
  it('that is read slowly is whole though the server has closed the connection', async () => {
    const answer = await createHttpFetch({})(`${base}/file`, init);
    let bytes = 0;
    for await (const chunk of answer.body ?? []) {
      if (bytes === 0) await sleep(50);
      bytes += chunk.byteLength;
    }
    assert.equal(bytes, BODY_BYTES);
  });
  it('follows redirects', async () => {
    const answer = await createHttpFetch({})(`${base}/moved`, init);
    assert.equal((await answer.arrayBuffer()).byteLength, BODY_BYTES);
  });
  it('does not follow redirects for ever', async () => {
    await assert.rejects(createHttpFetch({})(`${base}/loop`, init), /more than 5 redirects/);
  });
  it('is refused for other protocols', async () => {
    await assert.rejects(createHttpFetch({})('file:///etc/passwd', init), { code: 'BLM_ASSET_DOWNLOAD' });
  });
  it('fails when nobody listens', async () => {
    await assert.rejects(createHttpFetch({})('http://127.0.0.1:1/x', init), /ECONNREFUSED/);
  });
});
