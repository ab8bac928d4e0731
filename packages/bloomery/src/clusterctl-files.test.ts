import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { parseAllDocuments } from 'yaml';
import { parseServeOptions } from './serve/options.ts';

const ROOT = join(import.meta.dirname, '../../..');
const DEPLOY = join(ROOT, 'deploy/clusterctl');

const [template = ''] = globSync('infrastructure-sidero/*/cluster-template.yaml', { cwd: DEPLOY });
const [infrastructure = ''] = globSync('infrastructure-sidero/*/infrastructure-components.yaml', { cwd: DEPLOY });

/** What clusterctl does with `${NAME}` and `${NAME:=default}`. */
function substitute(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::=([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    const value = values[name] ?? fallback;
    assert.ok(value !== undefined, `${name} has no value`);
    return value;
  });
}

function objects(text: string): readonly JsonObject[] {
  return parseAllDocuments(text)
    .map((document): Json => document.toJSON())
    .filter(isJsonObject);
}

describe('the files for clusterctl', () => {
  it('are what the kinds say (run scripts/generate-crds.ts)', () => {
    const script = join(ROOT, 'scripts/generate-clusterctl.ts');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check']);
    assert.equal(status, 0, stderr.toString());
  });

  it('take every variable of the cluster template of Sidero Metal, and no other that has no default', () => {
    const text = readFileSync(join(DEPLOY, template), 'utf8');
    const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual([...new Set(names)].sort(), [
      'CLUSTER_NAME',
      'CONTROL_PLANE_ENDPOINT',
      'CONTROL_PLANE_MACHINE_COUNT',
      'CONTROL_PLANE_SERVERCLASS',
      'KUBERNETES_VERSION',
      'NAMESPACE',
      'TALOS_VERSION',
      'WORKER_MACHINE_COUNT',
      'WORKER_SERVERCLASS',
    ]);
    assert.ok(text.includes('${CONTROL_PLANE_PORT:='));
  });

  it('give the manager variables that it knows, as texts, with values that it takes', () => {
    const deployment = objects(substitute(readFileSync(join(DEPLOY, infrastructure), 'utf8'), {})).find(
      ({ kind }) => kind === 'Deployment',
    );
    const { spec } = deployment as {
      spec: { template: { spec: { hostNetwork: Json; containers: { env: Json[] }[] } } };
    };
    assert.equal(spec.template.spec.hostNetwork, false);
    const environment = (spec.template.spec.containers[0]?.env ?? []).filter(isJsonObject);
    const variables = environment.filter(({ value }) => value !== undefined);
    assert.ok(variables.length > 10);
    for (const { name, value } of variables) assert.equal(typeof value, 'string', String(name));
    const given = Object.fromEntries(variables.map(({ name, value }) => [String(name), String(value)]));
    assert.deepEqual(parseServeOptions({}, given, '/tmp').ok, true);
  });
});
