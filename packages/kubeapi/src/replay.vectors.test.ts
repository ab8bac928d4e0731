import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { Conversation, type Step } from './testing/conversation.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

interface VectorFile {
  readonly crds: readonly JsonObject[];
  readonly cases: readonly { readonly name: string; readonly steps: readonly Step[] }[];
}

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../test/vectors');
const USER_AGENT = { 'user-agent': 'setup/1', 'content-type': 'application/json' };

/** Create an object as preparation; one that is there already is fine. */
async function create(api: TestApi, path: string, object: JsonObject): Promise<void> {
  const answer = await api.call({ method: 'POST', path, headers: USER_AGENT, body: JSON.stringify(object) });
  if (answer.code !== 201 && answer.code !== 409) throw new Error(`preparing ${path}: ${answer.code} ${answer.body}`);
}

for (const name of ['validation', 'patch', 'crud', 'ssa']) {
  const path = join(root, 'kube-api', `${name}.json`);
  if (!existsSync(path)) {
    describe(`kube-api/${name}.json`, { skip: `no such file: ${path}` }, () => {});
    continue;
  }
  const file: VectorFile = JSON.parse(readFileSync(path, 'utf8'));
  describe(`kube-api/${name}.json answers as kube-apiserver does`, () => {
    let api: TestApi;
    before(async () => {
      api = await startTestApi();
      for (const crd of file.crds) await create(api, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
      await api.engine.idle();
    });
    after(() => api[Symbol.asyncDispose]());
    for (const [i, { name: title, steps }] of file.cases.entries()) {
      it(title, async () => {
        const namespace = `replay-${name}-${i}`;
        const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
        await create(api, '/api/v1/namespaces', object);
        await api.engine.idle();
        await new Conversation(api.call, namespace).replay(steps);
      });
    }
  });
}
