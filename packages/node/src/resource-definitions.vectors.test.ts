import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createState, ResourceDefinitionResource } from '@bloomery/cosi';
import { createFakeClock } from '@bloomery/ports';
import { SERVED_DEFINITIONS } from './served-definitions.ts';

interface DefinitionCase {
  readonly id: string;
  readonly type: string;
  readonly displayType: string;
  readonly defaultNamespace: string;
  readonly aliases: readonly string[];
  readonly allAliases: readonly string[];
  readonly printColumns: readonly { readonly name: string; readonly jsonPath: string }[] | null;
  readonly sensitivity: string;
}

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../test/vectors');
const file = join(root, 'node/resource_definitions.json');
const skip = existsSync(file) ? false : `${file} does not exist`;

describe('vectors: node/resource_definitions', { skip }, () => {
  const cases: readonly DefinitionCase[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
  const state = createState({ clock: createFakeClock() });
  for (const definition of SERVED_DEFINITIONS) state.register(definition);

  for (const { id, ...expected } of cases) {
    it(`${expected.type} is served as a real node serves it`, () => {
      const served = state.get(ResourceDefinitionResource, id)?.spec;
      assert.deepEqual(served, { ...expected, printColumns: expected.printColumns ?? [] });
    });
  }

  it('the singular that upstream does not compute leads to the caches of host DNS, too', () => {
    const { spec } = state.get(ResourceDefinitionResource, 'dnsresolvecache') ?? {};
    assert.equal(spec?.type, 'DNSResolveCaches.net.talos.dev');
  });
});
