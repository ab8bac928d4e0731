import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { crdFor, jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { MAX_YAML_BYTES } from './read-body.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const THINGS = '/apis/g.test/v1/namespaces/default/things';
const TWICE = '{"apiVersion":"g.test/v1","kind":"Thing","metadata":{"name":"t"},"spec":{"size":1,"size":2}}';
const TWICE_YAML = 'apiVersion: g.test/v1\nkind: Thing\nmetadata: {name: t}\nspec:\n  size: 1\n  size: 2\n';

describe('bodies that give a field twice', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
    const spec = { type: 'object', properties: { size: { type: 'integer' } } };
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    await jsonCaller(api)('POST', CRDS, crdFor('g.test', 'things', 'Thing', { versions }));
  });
  after(() => api[Symbol.asyncDispose]());

  async function send(body: string, type: string, mode: string, method = 'POST', path = THINGS) {
    const answer = await api.open({
      method,
      path: `${path}?dryRun=All&fieldValidation=${mode}`,
      headers: { 'content-type': type, 'user-agent': 'test/1' },
      body: async () => new TextEncoder().encode(body),
    });
    const { body: text, headers, status } = answer;
    const message: unknown = JSON.parse(typeof text === 'string' ? text : '{}').message;
    return { status, warning: headers['warning'], message };
  }

  it('are refused where fields are validated strictly', async () => {
    const { status, message } = await send(TWICE, 'application/json', 'Strict');
    assert.equal(status, 400);
    const why =
      'Thing in version "v1" cannot be handled as a Thing: strict decoding error: duplicate field "spec.size"';
    assert.equal(message, why);
  });

  it('are a warning unless told otherwise', async () => {
    const { status, warning } = await send(TWICE, 'application/json', 'Warn');
    assert.deepEqual([status, warning], [201, ['299 - "duplicate field \\"spec.size\\""']]);
    assert.equal((await send(TWICE, 'application/json', 'Ignore')).warning, undefined);
  });

  it('are told by their line in YAML', async () => {
    const warned = await send(TWICE_YAML, 'application/yaml', 'Warn');
    assert.deepEqual(warned.warning, ['299 - "line 6: key \\"size\\" already set in map"']);
    const { message } = await send(TWICE_YAML, 'application/yaml', 'Strict');
    const why = 'strict decoding error: yaml: unmarshal errors:\n  line 6: key "size" already set in map';
    assert.equal(message, `Thing in version "v1" cannot be handled as a Thing: ${why}`);
  });

  it('are refused in patches as well', async () => {
    await jsonCaller(api)('POST', THINGS, { apiVersion: 'g.test/v1', kind: 'Thing', metadata: { name: 'p' } });
    const merge = '{"spec":{"size":4,"size":5}}';
    const { status, message } = await send(merge, 'application/merge-patch+json', 'Strict', 'PATCH', `${THINGS}/p`);
    assert.equal(status, 422);
    assert.match(String(message), /strict decoding error: duplicate field "spec\.size"$/);
    const json = '[{"op":"add","path":"/spec","path":"/spec","value":{}}]';
    const warned = await send(json, 'application/json-patch+json', 'Warn', 'PATCH', `${THINGS}/p`);
    assert.deepEqual(warned.warning, ['299 - "json patch duplicate field \\"[0].path\\""']);
  });

  it('are refused with 400 when they nest too deep, in any form', async () => {
    const deep = 100_000;
    const bodies = [
      ['['.repeat(deep), 'application/json'],
      [`${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`, 'application/json'],
      ['['.repeat(deep), 'application/yaml'],
      [Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'application/yaml'],
      [`- `.repeat(deep), 'application/yaml'],
    ] as const;
    for (const [body, type] of bodies) assert.equal((await send(body, type, 'Warn')).status, 400);
  });

  it('are refused with 413 when they are large YAML, which is slow to read; JSON of that size is read under either type', async () => {
    const yaml = `${TWICE_YAML}  # ${'x'.repeat(MAX_YAML_BYTES - TWICE_YAML.length - 4)}`;
    assert.equal((await send(yaml, 'application/yaml', 'Warn')).status, 201);
    const large = await send(`${yaml}x`, 'application/yaml', 'Warn');
    const message = `Request entity too large: YAML is read up to ${MAX_YAML_BYTES} bytes, send JSON instead`;
    assert.deepEqual([large.status, large.message], [413, message]);
    assert.equal((await send(`{a: ${'x'.repeat(MAX_YAML_BYTES)}}`, 'application/yaml', 'Warn')).status, 413);
    const spaces = ' '.repeat(MAX_YAML_BYTES);
    const json = await send(`\n ${TWICE}${spaces}`, 'application/yaml', 'Warn');
    assert.deepEqual([json.status, json.warning], [201, ['299 - "duplicate field \\"spec.size\\""']]);
    const apply = 'application/apply-patch+yaml';
    const path = `${THINGS}/p?fieldManager=a`;
    const applied = async (body: string): Promise<number> =>
      (await api.call({ method: 'PATCH', path, headers: { 'content-type': apply }, body })).code;
    const named = TWICE.replace('"t"', '"p"').replace('"size":1,', '');
    assert.deepEqual([await applied(`${named}${spaces}`), await applied(`${yaml}x`)], [200, 413]);
  });

  it('are refused with 400, or kept exactly, when their numbers are huge', async () => {
    const of = (number: string) => TWICE.replace('"size":1,"size":2', `"size":${number}`);
    assert.equal((await send(of('9'.repeat(100_000)), 'application/json', 'Warn')).status < 500, true);
    assert.equal((await send(of('1e999999'), 'application/json', 'Warn')).status, 400);
    assert.equal((await send(of('-0'), 'application/json', 'Warn')).status, 201);
    assert.equal((await send(of(`0.${'1'.repeat(10_000)}`), 'application/json', 'Warn')).status, 422);
  });
});
