import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { readVectors } from '../testing/vectors.ts';
import { talosJson } from '../yaml/index.ts';
import { encodeDocuments, patchConfig, readPatch } from './index.ts';

interface PatchCase {
  readonly name: string;
  readonly config: string;
  readonly patches: readonly string[];
  readonly documents?: unknown;
  readonly error?: string;
  readonly stage?: string;
}

/** JSON values to the vectors' form: the zero value of a custom list is null there. */
function outcome(vector: PatchCase): { readonly documents?: unknown; readonly stage?: unknown } {
  try {
    const patches = vector.patches.map((text) => readPatch(text, 'strict'));
    const patched = patchConfig(vector.config, patches, { strictness: 'strict' });
    return { documents: encodeDocuments(patched).map(talosJson) };
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    return { stage: error.facts['stage'] };
  }
}

const file = readVectors<PatchCase>('cluster/config-patch.json');
describe('config-patch vectors', { skip: file === undefined }, () => {
  for (const vector of file?.cases ?? []) {
    it(vector.name, () => {
      const want = vector.stage === undefined ? { documents: vector.documents } : { stage: vector.stage };
      assert.deepEqual(outcome(vector), want);
    });
  }
});
