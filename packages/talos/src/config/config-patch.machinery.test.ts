import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { randomConfig, randomPatch } from '../testing/config-arbitrary.ts';
import { askTalosMachinery, talosMachineryMissing } from '../testing/talos-machinery.ts';
import { validatableConfig } from '../testing/validation-arbitrary.ts';
import { readYaml, talosJson } from '../yaml/index.ts';
import { patchConfig, readPatch, writeConfig } from './index.ts';
import { DOCUMENT_KINDS } from './type-table.ts';

const CASES = 1_000;

function outcome(config: string, patches: readonly string[]): unknown {
  try {
    const read = patches.map((text) => readPatch(text, 'strict'));
    return readYaml(writeConfig(patchConfig(config, read, { strictness: 'strict' }), 'strict')).map(talosJson);
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    // The library keeps a deletion of what is not there as a document, which a second one then deletes.
    const isLost = error.message.includes('is not there to delete from');
    return isLost ? 'nothing there to delete' : `refused: ${String(error.facts['stage'])}`;
  }
}

/**
 * Kinds whose merging in Talos 1.13.9 loses or refuses what nobody asked for (minSize and maxSize of volumes, prefixes of
 * routes and rules, a rule without a protocol): ours keep what was there.
 */
const UNLIKE = /Volume|Route|Rule|Link|VLAN|VRF|Bond|Bridge|Wireguard|KubeSpanConfig/;

const kinds = DOCUMENT_KINDS.map(({ kind }) => kind).filter((kind) => kind !== '' && !UNLIKE.test(kind));
const deletions = fc.constantFrom(
  'apiVersion: v1alpha1\nkind: HostnameConfig\n$patch: delete\n',
  'apiVersion: v1alpha1\nkind: HostnameConfig\nauto:\n  $patch: delete\n',
  'machine:\n  network:\n    $patch: delete\n',
  'cluster:\n  network:\n    $patch: delete\n    dnsDomain: x\n',
);
const severalDocuments = fc.constantFrom(...kinds).chain((kind) => {
  const text = validatableConfig([kind, 'HostnameConfig']).filter((config) => config.trim() !== '');
  const patch = fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: deletions });
  return fc.tuple(text, fc.array(patch, { minLength: 1, maxLength: 2 }));
});

describe('patching beside the real Talos library', { skip: talosMachineryMissing() }, () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);

  it('gives the same documents, or refuses at the same stage, for random configurations and patches', async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const requests = fc
      .sample(fc.tuple(randomConfig, fc.array(randomPatch, { minLength: 1, maxLength: 3 })), { numRuns: CASES, seed })
      .map(([config, patches]) => ({ config, patches }));
    const answers = await askTalosMachinery(requests);
    for (const [i, answer] of answers.entries()) {
      const { config, patches } = requests[i] ?? { config: '', patches: [] };
      // The library itself falls over some patches; ours must only give an answer.
      const ours = outcome(config, patches);
      if (answer.stage === 'panic' || ours === 'nothing there to delete') continue;
      const theirs = answer.stage === '' ? readYaml(answer.output).map(talosJson) : `refused: ${answer.stage}`;
      assert.deepEqual(
        ours,
        theirs,
        `case ${i} of SEED=${seed}\n${config}\n--- patches\n${patches.join('\n--- next\n')}\n${answer.error}`,
      );
    }
  });

  it('gives the same documents, or refuses too, for configurations of several documents', async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const requests = fc
      .sample(severalDocuments, { numRuns: CASES, seed })
      .map(([config, patches]) => ({ config, patches }));
    const answers = await askTalosMachinery(requests);
    for (const [i, answer] of answers.entries()) {
      const { config, patches } = requests[i] ?? { config: '', patches: [] };
      const ours = outcome(config, patches);
      if (answer.stage === 'panic' || ours === 'nothing there to delete') continue;
      const about = `case ${i} of SEED=${seed}\n${config}\n--- patches\n${patches.join('\n--- next\n')}\n${answer.error}`;
      if (answer.stage === '') assert.deepEqual(ours, readYaml(answer.output).map(talosJson), about);
      else assert.equal(typeof ours, 'string', about);
    }
  });
});
