import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { LINK_PEER, type LinkPeer, startLinkPeer } from '../testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { eventually } from '../testing/peer-process.ts';
import { whyNoLinkNamespace } from '../testing/test-namespace.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '7b121f82-24a8-4611-9d23-fa1a5ba564f1';
const BLOOMERY = join(import.meta.dirname, '../../../../bloomery');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };
const missing = LINK_PEER.missing || client.missing || whyNoLinkNamespace();

describe('kernel logs of real nodes', { skip: missing, timeout: 120_000 }, () => {
  let plane: LinkPlane;
  let nodes: LinkPeer[];
  const sent: string[] = [];
  before(async () => {
    plane = await startLinkPlane();
    await plane.allocate(A);
    await plane.allocate(B);
    nodes = [A, B].map((uuid) => startLinkPeer(['node', '-api', plane.api, '-uuid', uuid]));
    for (const node of nodes) await node.told('its address', ({ event }) => event === 'provisioned');
  });
  after(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await plane?.end();
  });

  const say = async (node: number, msg: string): Promise<void> => {
    const record = { facility: 'user', msg: `${msg}\n`, 'talos-level': 'info', 'talos-time': '2026-01-01T00:00:00.5Z' };
    assert.equal((await nodes[node]?.ask({ do: 'log', lines: [JSON.stringify(record)] }))?.['ok'], true);
    sent.push(msg);
    await plane.logged(msg, (line) => line['msg'] === `${msg}\n`);
  };
  const bloomery = async (...args: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> =>
    promisify(execFile)(BLOOMERY, ['logs', ...args, '--kubeconfig', plane.serve().kubeconfig]);
  const raw = (path: string) =>
    kubectl(client.path, plane.serve().kubeconfig, ['get', '--raw', `/apis/insight.bloomery.dev/v1alpha1/${path}`]);

  it('are shown for a machine, for a cluster and as the stream of the upstream container', async () => {
    await say(0, 'first <of> A');
    await say(1, 'first of B');
    await say(0, 'second of A');
    assert.equal(
      (await bloomery(`metalmachine/machine-${A}`)).stdout,
      '2026-01-01T00:00:00.500Z  info   first <of> A\n2026-01-01T00:00:00.500Z  info   second of A\n',
    );
    const cluster = (await bloomery('--all', '--grep', '^first')).stdout;
    assert.equal(
      cluster,
      `${A}  2026-01-01T00:00:00.500Z  info   first <of> A\n${B}  2026-01-01T00:00:00.500Z  info   first of B\n`,
    );
    const file = readFileSync(join(plane.serve().dir, 'logs', 'serverlogs.jsonl'), 'utf8');
    assert.equal((await bloomery('--all', '--json')).stdout, file);
    assert.equal(raw('serverlogs').stdout, file);
    assert.equal(raw(`serverlogs/${B}`).stdout, `${file.split('\n')[1]}\n`);
    assert.equal(
      raw(`namespaces/default/serverlogs?machine=machine-${B}-owner&tail=1`).stdout,
      `${file.split('\n')[1]}\n`,
    );
    assert.match(
      file,
      /^\{"cluster":"management-cluster","facility":"user","machine":"machine-6b12[^"]*-owner",.*"msg":"first \\u003cof\\u003e A\\n"/,
    );
  });

  it('are followed over a restart of the plane without a line lost or repeated', async () => {
    const follower = spawn(BLOOMERY, ['logs', '--all', '--json', '-f', '--kubeconfig', plane.serve().kubeconfig]);
    let text = '';
    let notes = '';
    follower.stdout.on('data', (chunk) => {
      text += chunk;
    });
    follower.stderr.on('data', (chunk) => {
      notes += chunk;
    });
    const followed = (): string[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).msg.trim());
    const ended = new Promise((resolve) => follower.once('exit', resolve));
    try {
      await eventually('what was there', () => followed().length === sent.length);
      await say(1, 'while it follows');
      await eventually('the line', () => followed().includes('while it follows'));
      await plane.serve().stop('SIGKILL');
      await plane.restart();
      await Promise.all(nodes.map((node) => node.ask({ do: 'close-log' })));
      await say(0, 'after the restart');
      await eventually(
        'the line behind the restart',
        () => followed().includes('after the restart'),
        () => notes,
      );
      assert.deepEqual(followed(), sent);
      assert.match(notes, /^The manager does not answer .*; going on when it does\.\n$/);
    } finally {
      follower.kill('SIGINT');
    }
    assert.equal(await ended, 130);
  });

  it('are for those who may read them', async () => {
    const refused = kubectl(client.path, plane.serve().kubeconfig, [
      'get',
      '--raw',
      '/apis/insight.bloomery.dev/v1alpha1/serverlogs',
      '--as',
      'somebody',
    ]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /serverlogs\.insight\.bloomery\.dev is forbidden: User "somebody" cannot list/);
  });

  it('are missing with a reason', async () => {
    const missing = await bloomery('nobody').catch((error) => error);
    assert.equal(missing.code, 3);
    const none = await bloomery(`metalmachine/machine-${A}`, '--grep', 'no such line');
    assert.equal(none.stdout, '');
    assert.match(none.stderr, /^No kernel lines that fit\. The machine is linked/);
  });
});
