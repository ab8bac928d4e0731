import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { silentLog, systemClock } from '@bloomery/ports';
import { loadCredentials, type ServerCredentials } from '../auth/credentials.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { listenApi } from './listen.ts';
import type { ListenCredentials } from './listen-credentials.ts';

describe('the listener, when its certificates are replaced', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-replace-'));
  let api: TestApi;
  let old: ServerCredentials;
  let next: ServerCredentials;
  let service: Awaited<ReturnType<typeof listenApi>>;
  let replace: (next: ServerCredentials) => void = () => {};

  before(async () => {
    api = await startTestApi();
    old = await loadCredentials({ dir: join(dir, 'old'), names: ['127.0.0.1'] }, systemClock);
    next = await loadCredentials({ dir: join(dir, 'next'), names: ['127.0.0.1'] }, systemClock);
    const credentials: ListenCredentials = {
      current: old,
      onReplaced(listener) {
        replace = listener;
        return () => {
          replace = () => {};
        };
      },
    };
    const { handle, authenticator } = api;
    const deps = { handle, authenticator, credentials, clock: systemClock, log: silentLog };
    service = await listenApi({ host: '127.0.0.1', port: 0 }, deps);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(server: ServerCredentials, client: ServerCredentials): Promise<TLSSocket> {
    const { adminCertificatePem: cert, adminKeyPem: key } = client;
    const socket = connect({ host: '127.0.0.1', port: service.address.port, ca: server.caPem, cert, key });
    await once(socket, 'secureConnect');
    return socket;
  }
  async function ask(socket: TLSSocket): Promise<string> {
    socket.write('GET /api/v1/namespaces HTTP/1.1\r\nHost: a\r\n\r\n');
    const [first] = await once(socket, 'data');
    return String(first).split('\r\n')[0] ?? '';
  }

  it('shows the new ones to new connections, and open ones go on', async () => {
    const before = await open(old, old);
    assert.equal(await ask(before), 'HTTP/1.1 200 OK');
    replace(next);
    const fresh = await open(next, next);
    assert.equal(await ask(fresh), 'HTTP/1.1 200 OK');
    assert.equal(await ask(before), 'HTTP/1.1 200 OK');
    await assert.rejects(open(old, old));
    const stranger = await open(next, old);
    assert.equal(await ask(stranger), 'HTTP/1.1 401 Unauthorized');
    for (const socket of [before, fresh, stranger]) socket.destroy();
  });
});
