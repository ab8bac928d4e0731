import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allKinds, crdOf, type JsonObject, versionsByKind } from '@bloomery/model';
import { parse } from 'yaml';
import { crdDefaults } from './crd-defaults.ts';
import { crdProblems } from './crd-problems.ts';

const PEERS = new URL('../../../../../test/peers/cluster-api', import.meta.url).pathname;

/** Where Go keeps a module that a test peer is built from; undefined where it has not been fetched. */
function moduleFolder(name: string): string | undefined {
  try {
    return execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', name], {
      cwd: PEERS,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch {
    return undefined;
  }
}

describe('definitions of the real world are taken:', () => {
  for (const versions of versionsByKind(allKinds)) {
    it(`our own ${versions[0]?.kind}`, () => {
      assert.deepEqual(crdProblems(crdDefaults(crdOf(versions)), undefined), []);
    });
  }

  const folder = moduleFolder('sigs.k8s.io/cluster-api');
  if (folder === undefined || folder === '') {
    it('those of Cluster API', {
      skip: 'the Go module of Cluster API has not been fetched (scripts/setup peers)',
    }, () => {});
    return;
  }
  for (const part of ['', 'bootstrap/kubeadm', 'controlplane/kubeadm']) {
    const bases = join(folder, part, 'config/crd/bases');
    for (const file of readdirSync(bases)) {
      it(`Cluster API's ${file}`, () => {
        const crd: unknown = parse(readFileSync(join(bases, file), 'utf8'));
        assert.ok(isDefinition(crd));
        assert.deepEqual(crdProblems(crdDefaults(crd), undefined), []);
      });
    }
  }
});

function isDefinition(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'CustomResourceDefinition';
}
