import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createGrpcClient } from '@bloomery/grpc';
import { createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { serverBinding } from '@bloomery/model';
import { systemClock } from '@bloomery/ports';
import { generateWireguardKey, parseApiEndpoint, wireguardPublicKey } from '@bloomery/siderolink';
import { createTestAuthority } from '@bloomery/talos/testing';
import { linkProto } from '@bloomery/wire';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const run = promisify(execFile);
const BLOOMERY = join(import.meta.dirname, '../../../../bloomery');
const NAMES = Array.from({ length: 6 }, (_, i) => `6b121f82-24a8-4611-9d23-fa1a5ba564f${i}`);
const [A = '', B = '', C = '', D = ''] = NAMES;
const DENIED = { code: 'BLM_GRPC_STATUS', facts: { status: 'PERMISSION_DENIED' } };

describe('a plane that requires join tokens and speaks TLS', { timeout: 120_000 }, () => {
  const home = mkdtempSync(join(tmpdir(), 'blm-join-tokens-'));
  const dir = join(home, 'data');
  const files = { cert: join(home, 'tls.crt'), key: join(home, 'tls.key') };
  const args = ['--require-join-token', '--tls-cert', files.cert, '--tls-key', files.key];
  let plane: ServeProcess;
  let client: RemoteClient;
  let ca: string;
  after(async () => {
    await client?.[Symbol.asyncDispose]();
    await plane?.stop();
    rmSync(home, { recursive: true, force: true });
  });
  before(async () => {
    const authority = await createTestAuthority();
    const issued = await authority.issue('plane', ['127.0.0.1']);
    ca = authority.certificatePem;
    writeFileSync(files.cert, issued.certificatePem);
    writeFileSync(files.key, issued.keyPem);
    await restart();
    for (const name of NAMES) {
      await client.create(serverBinding, {
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
        kind: 'ServerBinding',
        metadata: { name },
        spec: { metalMachineRef: { name: 'm', namespace: 'default' } },
      });
    }
  });

  async function restart(): Promise<void> {
    plane = await startServe({ dir, args });
    client = createRemoteClient(await loadKubeconfig(plane.kubeconfig));
  }

  async function bloomery(...words: readonly string[]): Promise<string> {
    const { stdout } = await run(BLOOMERY, [...words, '--kubeconfig', plane.kubeconfig]);
    return stdout;
  }

  async function create(...words: readonly string[]): Promise<string> {
    const made = JSON.parse(await bloomery('token', 'create', '--json', ...words));
    const api = parseApiEndpoint(made.argument.replace(/^siderolink\.api=/, ''));
    assert.deepEqual(api, { host: plane.endpoints.http, insecure: false, joinToken: made.token, tunnel: false });
    return made.token;
  }

  async function provision(nodeUuid: string, joinToken: string, nodeUniqueToken = ''): Promise<string> {
    const [host = '', port] = (plane.endpoints.grpc ?? '').split(':');
    const grpc = createGrpcClient({ address: { host, port: Number(port) }, clock: systemClock, tls: { ca } });
    try {
      const nodePublicKey = wireguardPublicKey(generateWireguardKey());
      const service = grpc.service(linkProto.ProvisionService);
      return (await service.provision({ nodeUuid, nodePublicKey, joinToken, nodeUniqueToken })).nodeAddressPrefix;
    } finally {
      grpc.close();
    }
  }

  it('lets machines in by the tokens that the command line makes, pins and revokes, at once', async () => {
    await assert.rejects(provision(A, ''), DENIED);
    await assert.rejects(provision(A, randomBytes(32).toString('base64')), DENIED);
    const token = await create('--name', 'rack', '--expires', '1h');
    const address = await provision(A, token, 'unique');
    await bloomery('token', 'pin', 'rack', B);
    await assert.rejects(provision(C, token), DENIED);
    await provision(B, token);
    await bloomery('token', 'revoke', 'rack');
    await assert.rejects(provision(B, token), DENIED);
    assert.equal(await provision(A, token, 'unique'), address);
    assert.match(await bloomery('token', 'list'), /^rack +revoked +- +2 +6b121f82-\S+ +\S+Z +\d+s$/m);
  });

  it('counts uses that survive a plane that is killed', async () => {
    const token = await create('--name', 'once', '--uses', '1');
    const address = await provision(D, token);
    await plane.stop('SIGKILL');
    await client[Symbol.asyncDispose]();
    await restart();
    await assert.rejects(provision(C, token), DENIED);
    assert.equal(await provision(D, token), address);
  });

  it('says what is wrong, with its exit code', async () => {
    const codes: [words: readonly string[], code: number, says: RegExp][] = [
      [['token', 'create', '--uses', 'x'], 2, /BLM_CLI_USAGE/],
      [['token', 'revoke', 'nothing'], 3, /no join token is named "nothing"[\s\S]*try: bloomery token list/],
      [['token', 'reset', 'nobody'], 3, /BLM_CLI_NAME_UNKNOWN/],
    ];
    for (const [words, code, says] of codes) {
      await assert.rejects(bloomery(...words), (error: { code?: number; stderr?: string }) => {
        assert.equal(error.code, code, words.join(' '));
        assert.match(error.stderr ?? '', says);
        return true;
      });
    }
    await assert.rejects(
      startServe({ args: ['--tls-cert', join(home, 'none'), '--tls-key', files.key] }),
      /BLM_TLS_FILE.*none/s,
    );
  });

  it('writes no token into its log', () => {
    assert.doesNotMatch(plane.stderr(), /[0-9A-Za-z]{43}/);
  });
});
