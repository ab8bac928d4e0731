import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { loadConfig } from '../config/index.ts';
import { readVectors } from '../testing/vectors.ts';
import { type ValidateOptions, validateConfig } from './index.ts';

interface ValidateCase {
  readonly name: string;
  readonly config: string;
  readonly mode: ValidateOptions['mode'];
  readonly strict: boolean;
  readonly loadError?: string;
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
}

function outcome({ config, mode, strict }: ValidateCase): unknown {
  try {
    const { errors, warnings } = validateConfig(loadConfig(config), { mode, strict });
    return { errors: errors.toSorted(), warnings: warnings.toSorted() };
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID')) throw error;
    return 'refused by the loader';
  }
}

const file = readVectors<ValidateCase>('cluster/config-validate.json');
describe('config-validate vectors', { skip: file === undefined }, () => {
  for (const vector of file?.cases ?? []) {
    it(vector.name, () => {
      const { errors = [], warnings = [] } = vector;
      const want =
        vector.loadError === undefined
          ? { errors: errors.toSorted(), warnings: warnings.toSorted() }
          : 'refused by the loader';
      assert.deepEqual(outcome(vector), want);
    });
  }
});
