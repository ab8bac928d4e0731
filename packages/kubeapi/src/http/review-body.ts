import type { ApiObject } from '../api-object.ts';
import { readBody, shapeObject } from '../pipeline/shape-body.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import type { Resource } from '../registry/resource.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiRequest } from './api-request.ts';
import { decodeBody } from './read-body.ts';
import { writeOptionsOf } from './write-options.ts';

/** The body of a question, in the shape of its kind, with warnings about unknown fields. @throws 400, 413, 415, 422. */
export async function reviewBodyOf(
  request: ApiRequest,
  path: ApiPath,
  resource: Resource,
): Promise<{ readonly object: ApiObject; readonly warnings: readonly string[] }> {
  const { dryRun, fieldValidation } = writeOptionsOf(request.query, 'CreateOptions');
  const body = decodeBody(await request.body(), request.headers['content-type']);
  const write: WriteRequest = {
    resource,
    version: resource.storage,
    namespace: path.namespace ?? '',
    manager: '',
    dryRun,
    fieldValidation,
  };
  const { object, unknownMeta } = readBody(write, body);
  return shapeObject(write, object, undefined, unknownMeta, false);
}
