import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringifyJson } from '@bloomery/model';
import { until } from '@bloomery/ports';
import { rawRequest } from './api-client.ts';
import type { Target } from './target.ts';

const VECTORS = join(import.meta.dirname, '../../../../../test/vectors/kube-api/ssa.json');
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Group and version of the kind that most cases use; the vectors of kube-api define it. */
export const THING = 'vec.bloomery.test/v1';

/** Create the kinds that all cases share, and wait until they are served. */
export async function prepareShared(target: Target): Promise<void> {
  const { url, caPem, admin } = target;
  const call = (method: string, path: string, body?: string) =>
    rawRequest({ url, caPem, ...admin }, method, path, {
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
  const { crds } = JSON.parse(readFileSync(VECTORS, 'utf8'));
  for (const crd of crds) await call('POST', CRDS, stringifyJson(crd));
  await until('the shared kinds are served', async () => {
    const list = await call('GET', `/apis/${THING}/things`);
    const openapi = await call('GET', `/openapi/v3/apis/${THING}`);
    return list.code === 200 && openapi.code === 200;
  });
}
