import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layerRank } from '../layers/index.ts';
import { ResolverSpec } from '../resources/names.ts';
import { mergeResolvers } from './merge-resolvers.ts';

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');
const file = join(root, 'node/resolver_merge.json');

interface Resolvers {
  readonly dnsServers: readonly string[] | null;
  readonly searchDomains: readonly string[] | null;
  readonly layer: ResolverSpec['layer'];
}

interface MergeCase {
  readonly name: string;
  readonly input: readonly (Resolvers & { readonly id: string })[];
  readonly expected: Resolvers | null;
}

const specOf = ({ dnsServers, searchDomains, layer }: Resolvers): ResolverSpec =>
  ResolverSpec.make({ dnsServers: dnsServers ?? [], searchDomains: searchDomains ?? [], layer });

const skip = existsSync(file) ? false : `${file} does not exist`;
describe('vectors: node/resolver_merge', { skip }, () => {
  const cases: readonly MergeCase[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
  for (const { name, input, expected } of cases)
    it(name, () => {
      // As the state lists them: by id, then by layer.
      const specs = input
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(specOf)
        .toSorted((a, b) => layerRank(a) - layerRank(b));
      const merged = mergeResolvers(specs);
      assert.deepEqual(merged, expected === null ? undefined : specOf(expected));
    });
});
