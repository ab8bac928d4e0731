import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it, describe as suite } from 'node:test';
import { cluster, type KindRef, type KubeObject, secret } from '@bloomery/model';
import { createCertificateAuthority, issueCertificate } from '@bloomery/talos';
import { createFakeSession } from '../testing/fake-session.ts';
import { clusterAccess } from './cluster-access.ts';

const dir = mkdtempSync(join(tmpdir(), 'cluster-access-'));
after(() => rmSync(dir, { recursive: true }));

function item(kind: KindRef, name: string, rest: object = {}): { kind: KindRef; object: KubeObject } {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return { kind, object: { apiVersion, kind: kind.kind, metadata: { name, namespace: 'default' }, ...rest } };
}
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const held = (name: string, key: string, text: string) => item(secret, name, { data: { [key]: base64(text) } });
const waiting = { type: 'Ready', status: 'False', message: 'TalosControlPlane default/c waits for a server' };

suite('bloomery kubeconfig and talosconfig', () => {
  it('print what is in the Secrets of the cluster', async () => {
    const session = createFakeSession([
      item(cluster, 'c'),
      held('c-kubeconfig', 'value', 'kind: Config\n'),
      held('c-talosconfig', 'talosconfig', 'context: c'),
    ]);
    await clusterAccess(session, 'kubeconfig', 'c', {});
    await clusterAccess(session, 'talosconfig', 'cluster/c', {});
    assert.equal(session.out(), 'kind: Config\ncontext: c\n');
    assert.equal(session.err(), '');
  });

  it('say until when the certificate holds', async () => {
    const notBefore = new Date('2026-01-01T00:00:00Z');
    const notAfter = new Date('2027-01-01T00:00:00Z');
    const authority = await createCertificateAuthority({ subject: {}, algorithm: 'ecdsa-p256', notBefore, notAfter });
    const subject = { commonName: 'admin' };
    const client = await issueCertificate(authority, {
      subject,
      notBefore,
      notAfter,
      extendedKeyUsages: ['clientAuth'],
    });
    const config = {
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://10.0.0.1:6443' } }],
      users: [{ name: 'x', user: { 'client-certificate-data': base64(client.certificatePem) } }],
    };
    const session = createFakeSession([item(cluster, 'c'), held('c-kubeconfig', 'value', JSON.stringify(config))]);
    await clusterAccess(session, 'kubeconfig', 'c', {});
    assert.equal(session.err(), 'It holds until 2027-01-01. Its Secret is renewed by itself: fetch it again.\n');
  });

  it('write a file that only its owner reads, and do not replace one', async () => {
    const session = createFakeSession([item(cluster, 'c'), held('c-kubeconfig', 'value', 'kind: Config\n')]);
    const file = join(dir, 'kubeconfig');
    await clusterAccess(session, 'kubeconfig', 'c', { file });
    assert.equal(readFileSync(file, 'utf8'), 'kind: Config\n');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(session.out(), '');
    assert.equal(session.err(), `${file}: kubeconfig of cluster c; try: kubectl --kubeconfig ${file} get nodes\n`);
    writeFileSync(file, 'mine, and longer than the other', { mode: 0o644 });
    await assert.rejects(clusterAccess(session, 'kubeconfig', 'c', { file }), {
      code: 'BLM_CLI_REFUSED',
      message: `writing ${file}: it exists and is not replaced`,
    });
    await clusterAccess(session, 'kubeconfig', 'c', { file, force: true });
    assert.equal(readFileSync(file, 'utf8'), 'kind: Config\n');
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('say why there is none yet', async () => {
    const session = createFakeSession([item(cluster, 'c', { status: { conditions: [waiting] } })]);
    await assert.rejects(clusterAccess(session, 'kubeconfig', 'c', {}), {
      code: 'BLM_API_NOT_FOUND',
      message:
        'reading the kubeconfig of cluster default/c: it has none yet: TalosControlPlane default/c waits for a server',
      facts: { cluster: 'default/c', try: 'bloomery explain cluster/c' },
    });
  });

  it('name the cluster that may be meant', async () => {
    const session = createFakeSession([item(cluster, 'prod')]);
    await assert.rejects(clusterAccess(session, 'talosconfig', 'prd', {}), {
      code: 'BLM_CLI_NAME_UNKNOWN',
      message: /^no cluster in namespace default is called "prd".*prod/,
    });
  });
});
