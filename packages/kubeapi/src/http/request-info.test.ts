import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiRequest } from './api-request.ts';
import { requestInfoOf } from './request-info.ts';

function request(method: string, url: string): ApiRequest {
  const [path = '', query = ''] = url.split('?');
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: {},
    body: async () => new Uint8Array(),
    user: undefined,
    signal: AbortSignal.abort(),
  };
}

/** verb group/version resource/subresource namespace name. */
const resources: [method: string, url: string, want: string][] = [
  ['GET', '/api/v1/namespaces/n/configmaps/a', 'get /v1 configmaps/ n a'],
  ['HEAD', '/api/v1/namespaces/n/configmaps/a', 'get /v1 configmaps/ n a'],
  ['GET', '/api/v1/namespaces/n/configmaps/a?watch=1', 'get /v1 configmaps/ n a'],
  ['GET', '/api/v1/namespaces/n/configmaps', 'list /v1 configmaps/ n '],
  ['GET', '/api/v1/configmaps?watch=true', 'watch /v1 configmaps/  '],
  ['GET', '/api/v1/configmaps?watch=0', 'list /v1 configmaps/  '],
  ['GET', '/api/v1/watch/namespaces/n/configmaps/a', 'watch /v1 configmaps/ n a'],
  ['GET', '/apis/g.test/v1/watch/things', 'watch g.test/v1 things/  '],
  ['GET', '/api/v1/namespaces/n/configmaps?fieldSelector=metadata.name%3Da', 'list /v1 configmaps/ n a'],
  [
    'GET',
    '/api/v1/namespaces/n/configmaps?fieldSelector=type%3Dx,metadata.name%3D%3Da&watch',
    'watch /v1 configmaps/ n a',
  ],
  ['GET', '/api/v1/namespaces/n/configmaps?fieldSelector=metadata.name!%3Da', 'list /v1 configmaps/ n '],
  [
    'GET',
    `/api/v1/namespaces/n/configmaps?fieldSelector=metadata.namespace!%3D${'x'.repeat(987)},metadata.name%3Dabc`,
    'list /v1 configmaps/ n ',
  ],
  ['DELETE', '/api/v1/namespaces/n/configmaps?fieldSelector=metadata.name%3Da', 'deletecollection /v1 configmaps/ n '],
  ['DELETE', '/api/v1/namespaces/n/configmaps/a', 'delete /v1 configmaps/ n a'],
  ['POST', '/apis/g.test/v1/namespaces/n/things', 'create g.test/v1 things/ n '],
  ['PUT', '/apis/g.test/v1/things/a/status', 'update g.test/v1 things/status  a'],
  ['PATCH', '/apis/g.test/v1/things/a', 'patch g.test/v1 things/  a'],
  ['GET', '/api/v1/namespaces/n', 'get /v1 namespaces/ n n'],
  ['PUT', '/api/v1/namespaces/n/finalize', 'update /v1 namespaces/finalize n n'],
  ['GET', '/api/v1/namespaces', 'list /v1 namespaces/  '],
  ['GET', '/api/v1/namespaces/n/pods/a/proxy/b/c', 'get /v1 pods/proxy/b/c n a'],
  ['PROPFIND', '/api/v1/nodes', 'propfind /v1 nodes/  '],
];
const paths: [method: string, url: string, want: string][] = [
  ['GET', '/version', 'get /version'],
  ['HEAD', '/healthz', 'get /healthz'],
  ['POST', '/version', 'post /version'],
  ['GET', '/apis/g.test/v1', 'get /apis/g.test/v1'],
  ['GET', '/', 'get /'],
  ['GET', '/api/v1/%zz', 'get /api/v1/%zz'],
];

describe('what a request wants', () => {
  for (const [method, url, want] of resources) {
    it(`${method} ${url} is ${want.trim()}`, () => {
      const { attributes, path } = requestInfoOf(request(method, url));
      assert.ok('resource' in attributes && path !== undefined);
      const { verb, group, resource, subresource, namespace, name } = attributes;
      assert.equal(`${verb} ${group}/${path.version} ${resource}/${subresource} ${namespace} ${name}`, want);
    });
  }

  for (const [method, url, want] of paths) {
    it(`${method} ${url} is the path ${want}`, () => {
      const { attributes } = requestInfoOf(request(method, url));
      assert.ok('path' in attributes);
      assert.equal(`${attributes.verb} ${attributes.path}`, want);
    });
  }

  it('changes something unless it gets, lists or watches', () => {
    const mutating = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'].filter(
      (method) => requestInfoOf(request(method, '/api/v1/nodes')).mutating,
    );
    assert.deepEqual(mutating, ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']);
  });
});
