import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { ObjectClient } from '@bloomery/kube';
import type { Json, JsonObject, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { BloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { readYaml, talosJson } from '@bloomery/talos';
import { openBootSessions } from '../boot/index.ts';
import { createMetadataRoute } from './metadata-route.ts';

interface Case {
  readonly name: string;
  readonly uuid: string;
  readonly query?: string;
  readonly bootstrap: string;
  readonly server?: JsonObject;
  readonly serverClass?: JsonObject;
  readonly missing?: string;
  readonly doBetter?: string;
  readonly expect: { readonly status: number; readonly docs?: readonly Json[]; readonly bodyUpstream?: string };
}

const vectors = process.env['VECTORS'] ?? resolve(import.meta.dirname, '../../../../test/vectors');
const file = resolve(vectors, 'boot/metadata.json');
const skip = existsSync(file) ? false : `${file} does not exist`;

function objectsOf(c: Case): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const put = (kind: string, name: string, rest: JsonObject): void => {
    if (c.missing !== kind.toLowerCase()) found.set(`${kind} ${name}`, { apiVersion: 'v1', kind, ...rest });
  };
  const has = (part: string): boolean => c.missing !== part;
  put('Server', c.uuid, { metadata: { name: c.uuid }, spec: c.server ?? {} });
  put('ServerBinding', c.uuid, {
    metadata: { name: c.uuid },
    spec: {
      metalMachineRef: { name: 'mm', namespace: 'default' },
      ...(c.serverClass === undefined ? {} : { serverClassRef: { name: 'sc' } }),
    },
  });
  if (c.serverClass !== undefined) put('ServerClass', 'sc', { metadata: { name: 'sc' }, spec: c.serverClass });
  const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'm', uid: 'u' };
  put('MetalMachine', 'mm', {
    metadata: { name: 'mm', namespace: 'default', ...(has('ownerref') ? { ownerReferences: [owner] } : {}) },
  });
  put('Machine', 'm', {
    metadata: { name: 'm', namespace: 'default' },
    spec: { bootstrap: has('datasecretname') ? { dataSecretName: 'boot-secret' } : {} },
  });
  put('Secret', 'boot-secret', {
    metadata: { name: 'boot-secret', namespace: 'default' },
    data: has('value') ? { value: Buffer.from(c.bootstrap).toString('base64') } : {},
  });
  return found;
}

function clientOf(objects: Map<string, JsonObject>): ObjectClient {
  const absent = (): never => {
    throw new Error('not used');
  };
  return {
    get: async <T extends KubeObject>(kind: KindRef<T>, key: ObjectKey) => {
      const object = objects.get(`${kind.kind} ${key.name}`);
      if (object !== undefined) return object as unknown as T;
      throw new BloomeryError('BLM_API_NOT_FOUND', `${kind.plural}.${kind.group} "${key.name}" not found`);
    },
    list: absent,
    watch: absent,
    create: absent,
    update: absent,
    patch: absent,
    delete: absent,
  };
}

/** The comparison of the vectors: null, "", [] and {} count as absent. */
function dense(value: Json | undefined): Json | undefined {
  if (value === null || value === '' || value === undefined) return undefined;
  if (Array.isArray(value)) {
    const items = value.map(dense).filter((v) => v !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).flatMap(([k, v]) => {
    const kept = dense(v);
    return kept === undefined ? [] : [[k, kept] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

const byKind = (a: Json | undefined, b: Json | undefined): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

function comparable(documents: readonly Json[]): unknown {
  const [first, ...rest] = documents.map((d) => sorted(dense(d)));
  return [first, ...rest.sort(byKind)];
}

function sorted(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((v) => sorted(v) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

async function ask(c: Case): Promise<{ status: number; body: string }> {
  const query = c.query ?? `?uuid=${c.uuid}`;
  const route = createMetadataRoute({
    client: clientOf(objectsOf(c)),
    events: { record() {} },
    timeline: { record() {} },
    sessions: openBootSessions,
    serverName: (uuid) => (uuid === '' ? undefined : uuid.toLowerCase()),
    endpoint: { host: '10.77.0.1', port: 8081 },
    linkAddress: () => 'fdae:41e4:649b:9303::1',
    clock: systemClock,
    log: silentLog,
  });
  const answer = await route.handle({
    method: 'GET',
    path: '/configdata',
    query: new URLSearchParams(query === '-' ? '' : query),
    headers: {},
    address: '10.77.0.9',
    signal: new AbortController().signal,
  });
  return { status: answer.status, body: String(answer.body) };
}

/** Last part of the path of each added field: it must have come through. */
function addedKeys(c: Case): string[] {
  const operations = c.server?.['configPatches'];
  const paths = Array.isArray(operations) ? operations.map((o: JsonObject) => String(o['path'])) : [];
  return paths.map((path) => path.split('/').at(-1) ?? '');
}

const cases =
  skip === false ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }).cases : [];
describe('boot/metadata.json', { skip }, () => {
  for (const c of cases) {
    it(c.name, async () => {
      const { status, body } = await ask(c);
      if (c.doBetter !== undefined) {
        assert.equal(status, 200, body);
        for (const key of addedKeys(c)) assert.equal(body.includes(key), true, `${key} is not in ${body}`);
        return;
      }
      assert.equal(status, c.expect.status, body);
      if (c.expect.docs !== undefined) {
        assert.deepEqual(comparable(readYaml(body).map(talosJson)), comparable(c.expect.docs));
        return;
      }
      assert.equal(body.endsWith('\n'), true);
      const start = (c.expect.bodyUpstream ?? '').split(/: |\[/)[0] ?? '';
      assert.equal(body.startsWith(start.trimEnd()), true, `${body} should start with ${start}`);
    });
  }
});
