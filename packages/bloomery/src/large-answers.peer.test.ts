import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRemoteClient, loadKubeconfig } from '@bloomery/kube';
import { configMap } from '@bloomery/model';
import { startServe } from './testing/serve-process.ts';

describe('a caller of HTTP/1.1 in another process', { timeout: 60_000 }, () => {
  it('sends one large object after the other on its connection', async (t) => {
    const plane = await startServe();
    t.after(() => plane.stop());
    await using client = createRemoteClient(await loadKubeconfig(plane.kubeconfig));
    const data = { text: 'x'.repeat(150_000) };
    for (let i = 0; i < 100; i++) {
      const metadata = { name: `large-${i}`, namespace: 'default' };
      const made = await client.create(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
      assert.equal(made.metadata.name, metadata.name);
    }
  });
});
