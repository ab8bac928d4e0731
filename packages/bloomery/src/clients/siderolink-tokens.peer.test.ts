import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { server } from '@bloomery/model';
import { createTestAuthority } from '@bloomery/talos/testing';
import { LINK_PEER, type PeerFact, startLinkPeer } from '../testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { eventually } from '../testing/peer-process.ts';
import { whyNoLinkNamespace } from '../testing/test-namespace.ts';

const BLOOMERY = join(import.meta.dirname, '../../../../bloomery');
const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const C = '6b121f82-24a8-4611-9d23-fa1a5ba564f2';
const UNKNOWN = 'ffffffff-24a8-4611-9d23-fa1a5ba564f0';
const skip = LINK_PEER.missing || whyNoLinkNamespace();

describe('a plane that wants join tokens and has TLS, for upstream nodes', { skip, timeout: 120_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-tokens-'));
  const ca = join(dir, 'ca.pem');
  let plane: LinkPlane;
  before(async () => {
    const authority = await createTestAuthority();
    const certificate = await authority.issue('plane', ['plane.bloomery.test']);
    writeFileSync(ca, authority.certificatePem);
    writeFileSync(join(dir, 'tls.crt'), certificate.certificatePem);
    writeFileSync(join(dir, 'tls.key'), certificate.keyPem, { mode: 0o600 });
    const tls = ['--tls-cert', join(dir, 'tls.crt'), '--tls-key', join(dir, 'tls.key')];
    plane = await startLinkPlane('--require-join-token', ...tls);
    for (const name of [A, B, C]) await plane.allocate(name);
    // The command line knows machines by their Servers.
    const metadata = { name: A };
    await plane.client.create(server, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata,
      spec: { accepted: false },
    });
  });
  after(() => plane?.end());

  const bloomery = (...args: string[]): string =>
    execFileSync(BLOOMERY, [...args, '--kubeconfig', plane.serve().kubeconfig], { encoding: 'utf8' });
  const newToken = (...args: string[]): { readonly name: string; readonly token: string } =>
    JSON.parse(bloomery('token', 'create', '--json', ...args));
  const answer = async (uuid: string, ...args: string[]): Promise<PeerFact> => {
    const node = startLinkPeer(['node', '-api', plane.api, '-uuid', uuid, ...args]);
    const fact = await node.told('an answer', ({ event }) => event === 'provisioned' || event === 'refused');
    await node.stop();
    return fact;
  };
  const codeOf = async (uuid: string, ...args: string[]): Promise<unknown> => {
    const fact = await answer(uuid, ...args);
    return fact['event'] === 'provisioned' ? 'OK' : fact['code'];
  };

  it('refuses machines without one, whether it knows them or not, with the same answer', async () => {
    const refusals = await Promise.all([
      answer(A),
      answer(UNKNOWN),
      answer(A, '-token', 'wrong'),
      answer(UNKNOWN, '-token', 'wrong'),
    ]);
    const texts = refusals.map(({ event, code, message }) => JSON.stringify([event, code, message]));
    assert.match(texts[0] ?? '', /^\["refused","PermissionDenied",/);
    assert.deepEqual([texts[1], texts[3]], [texts[0], texts[2]]);
  });

  it('lets machines in with a token, also out of the URL, until it is revoked; who has a unique token stays', async () => {
    const { name, token } = newToken();
    assert.equal(await codeOf(A, '-token', token, '-unique-token', 'mine'), 'OK');
    assert.equal(await codeOf(B, '-api', `grpc://${plane.api}?jointoken=${encodeURIComponent(token)}`), 'OK');
    assert.equal(await codeOf(UNKNOWN, '-token', token), 'NotFound');
    bloomery('token', 'revoke', name);
    await eventually('the revocation', async () => (await codeOf(B, '-token', token)) === 'PermissionDenied');
    assert.equal(await codeOf(A, '-token', token, '-unique-token', 'mine'), 'OK');
  });

  it('keeps a machine from taking the UUID of another', async () => {
    const { token } = newToken();
    assert.equal(await codeOf(A, '-token', token, '-unique-token', 'mine'), 'OK');
    assert.equal(await codeOf(A, '-token', token, '-unique-token', 'other'), 'PermissionDenied');
    bloomery('token', 'reset', A);
    await eventually('the reset', async () => (await codeOf(A, '-token', token, '-unique-token', 'other')) === 'OK');
  });

  it('counts the uses of a token and holds it to the machine that it is pinned to', async () => {
    const once = newToken('--uses', '1').token;
    assert.equal(await codeOf(B, '-token', once), 'OK');
    assert.equal(await codeOf(C, '-token', once), 'PermissionDenied');
    assert.equal(await codeOf(B, '-token', once), 'OK', 'the same machine again');
    const pinned = newToken('--pin', B).token;
    assert.equal(await codeOf(C, '-token', pinned), 'PermissionDenied');
    assert.equal(await codeOf(B, '-token', pinned), 'OK');
  });

  it('is joined by TLS, WireGuard through the tunnel included', async (t) => {
    const { token } = newToken();
    const at = `https://${plane.api}?jointoken=${encodeURIComponent(token)}&grpc_tunnel=true`;
    const node = startLinkPeer(['node', '-api', at, '-ca', ca, '-server-name', 'plane.bloomery.test', '-uuid', C]);
    t.after(() => node.stop());
    const fact = await node.told('an answer', ({ event }) => event === 'provisioned' || event === 'refused');
    assert.deepEqual([fact['event'], fact['tunnel']], ['provisioned', true], JSON.stringify(fact));
    assert.equal((await node.ask({ do: 'reach', timeoutMs: 20_000 }))['connected'], true);
    assert.equal((await node.ask({ do: 'log', lines: ['{"msg":"by TLS"}'] }))['ok'], true);
    await plane.logged('the line', (line) => line['msg'] === 'by TLS' && line['server_uuid'] === C);
  });
});
