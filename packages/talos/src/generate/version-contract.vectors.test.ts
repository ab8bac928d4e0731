import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readVectors } from '../testing/vectors.ts';
import { parseVersionContract } from './version-contract.ts';

interface ContractCase {
  readonly in: string;
  readonly major?: number;
  readonly minor?: number;
  readonly error?: string;
}

const file = readVectors<ContractCase>('cluster/contract-parse.json');
describe('cluster/contract-parse.json', { skip: file === undefined }, () => {
  for (const vector of file?.cases ?? []) {
    it(`"${vector.in}"`, () => {
      if (vector.error === undefined) {
        assert.deepEqual(parseVersionContract(vector.in), { major: vector.major, minor: vector.minor });
      } else {
        assert.throws(() => parseVersionContract(vector.in), { code: 'BLM_TALOS_VERSION_INVALID' });
      }
    });
  }
});
