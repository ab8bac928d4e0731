import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { randomConfig, randomPatch } from '../testing/config-arbitrary.ts';
import { askTalosMachinery, talosMachineryMissing } from '../testing/talos-machinery.ts';
import { readYaml, talosJson } from '../yaml/index.ts';
import { patchConfig, readPatch, writeConfig } from './index.ts';

const CASES = 1_000;

function outcome(config: string, patches: readonly string[]): unknown {
  try {
    const read = patches.map((text) => readPatch(text, 'strict'));
    return readYaml(writeConfig(patchConfig(config, read, { strictness: 'strict' }), 'strict')).map(talosJson);
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    return `refused: ${String(error.facts['stage'])}`;
  }
}

describe('patching beside the real Talos library', { skip: talosMachineryMissing() }, () => {
  it('gives the same documents, or refuses at the same stage, for random configurations and patches', async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    t.diagnostic(`SEED=${seed}`);
    const requests = fc
      .sample(fc.tuple(randomConfig, fc.array(randomPatch, { minLength: 1, maxLength: 3 })), { numRuns: CASES, seed })
      .map(([config, patches]) => ({ config, patches }));
    const answers = await askTalosMachinery(requests);
    for (const [i, answer] of answers.entries()) {
      const { config, patches } = requests[i] ?? { config: '', patches: [] };
      // The library itself falls over some patches; ours must only give an answer.
      const ours = outcome(config, patches);
      if (answer.stage === 'panic') continue;
      const theirs = answer.stage === '' ? readYaml(answer.output).map(talosJson) : `refused: ${answer.stage}`;
      assert.deepEqual(
        ours,
        theirs,
        `case ${i} of SEED=${seed}\n${config}\n--- patches\n${patches.join('\n--- next\n')}\n${answer.error}`,
      );
    }
  });
});
