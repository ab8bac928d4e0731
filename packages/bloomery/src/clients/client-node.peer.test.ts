import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { peer, startPeer } from '../testing/peer-process.ts';
import { startServe } from '../testing/serve-process.ts';

const client = peer('client-node');

describe('@kubernetes/client-node', { skip: client.missing }, () => {
  it('creates, patches, applies, watches with an informer, and reads refusals', async () => {
    const plane = await startServe();
    const program = startPeer({ path: process.execPath, missing: false }, [
      join(client.path, 'main.js'),
      plane.kubeconfig,
    ]);
    const deadline = setTimeout(() => program.process.kill('SIGKILL'), 60_000);
    const code = await new Promise((resolve) => program.process.once('close', resolve));
    clearTimeout(deadline);
    await plane.stop();
    assert.equal(code, 0, program.stdout() + program.stderr());
    const steps = program.stdout().trim().split('\n');
    assert.deepEqual(
      steps.map((line): unknown => JSON.parse(line)),
      [
        { step: 'informer', seen: ['one'] },
        { step: 'merge patch', seen: { a: '2' } },
        { step: 'apply', seen: [{ a: '3' }, ['js Apply']] },
        { step: 'conflict', seen: [409, 'Conflict'] },
        { step: 'page of custom objects', seen: [1, 'string'] },
        { step: 'secret', seen: [{ k: 'dg==' }, 8] },
        { step: 'gone', seen: [404, 'configmaps "one" not found'] },
        {
          step: 'done',
          seen: ['add one 1', 'update one 2', 'add two 3', 'update one 4', 'delete one 4', 'delete two 3'],
        },
      ],
    );
  });
});
