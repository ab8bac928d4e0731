import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKinds } from '../all-kinds.ts';
import { asList, asObject } from '../conversion-data.ts';
import type { Json } from '../json.ts';
import { kindOfObject } from '../kind-of-object.ts';
import { readVectorFile } from '../testing/vector-file.ts';
import type { Environment } from './environment.ts';
import { environmentDefaultSpec } from './environment-default.ts';
import { isEnvironmentReady } from './environment-ready.ts';
import { isPartialEqual } from './partial-equal.ts';
import type { Server } from './server.ts';
import type { ServerClass } from './server-class.ts';
import { classifyServers } from './server-class-match.ts';

const partial = readVectorFile('metal/partial-equal.json');
describe('vectors: partial comparison of hardware', { skip: partial.skip }, () => {
  for (const c of partial.cases) {
    it(String(c['name']), () => assert.equal(isPartialEqual(c['qualifier'], c['hardware']), c['match']));
  }
});

const filter = readVectorFile('metal/serverclass-filter.json');
describe('vectors: members of a ServerClass', { skip: filter.skip }, () => {
  for (const c of filter.cases) {
    it(String(c['name']), () => {
      const serverClass = stored<ServerClass>(c['serverClass']);
      const got = classifyServers(serverClass.spec, asList(c['servers']).map(stored<Server>));
      if (c['error'] !== undefined && c['error'] !== null) {
        assert.ok(!got.ok, 'the class cannot be evaluated');
        assert.equal(got.problem.split(':')[0], String(c['error']).split(':')[0]);
      } else {
        const { serversAvailable, serversInUse } = c;
        assert.deepEqual(got, { ok: true, serversAvailable: serversAvailable ?? [], serversInUse: serversInUse ?? [] });
      }
    });
  }
});

const ready = readVectorFile('metal/environment-ready.json');
describe('vectors: ready Environments', { skip: ready.skip }, () => {
  for (const c of ready.cases) {
    it(String(c['name']), () => assert.equal(isEnvironmentReady(stored<Environment>(c['environment'])), c['ready']));
  }
});

const defaults = readVectorFile('metal/environment-default.json');
describe('vectors: the default Environment', { skip: defaults.skip }, () => {
  for (const c of defaults.cases) {
    it(String(c['name']), () => assert.deepEqual(environmentDefaultSpec(String(c['talosRelease'])), c['spec']));
  }
});

/** The object in its stored version. The files hold objects of the kind that the case says. */
function stored<T>(value: Json | undefined): T {
  const object = asObject(value);
  const kind = kindOfObject(allKinds, object['apiVersion'], object['kind']);
  return (kind?.convert?.toStorage(object) ?? object) as T;
}
