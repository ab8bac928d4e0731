import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { loadConfig } from '../config/index.ts';
import { DOCUMENT_KINDS } from '../config/type-table.ts';
import { askTalosMachinery, talosMachineryMissing } from '../testing/talos-machinery.ts';
import { validatableConfig } from '../testing/validation-arbitrary.ts';
import { type ValidateOptions, validateConfig } from './index.ts';

const CASES = 1_500;
const MODES: readonly ValidateOptions['mode'][] = ['metal', 'cloud', 'container'];
const KINDS = DOCUMENT_KINDS.map(({ kind }) => kind).filter((kind) => kind !== '');

/** What Go's parsers say in their own words is not compared, nor what ours leave out because it may be a secret. */
const plain = (message: string): string =>
  message
    .replace(
      /(: )?(netip\.|ParseAddr|parse "|strconv\.|illegal base64|invalid CIDR|wrong key|invalid wireguard key).*$/s,
      '',
    )
    .replace(/(failed to unmarshal base runtime spec overrides).*/s, '$1')
    .replaceAll('\\u007f', '\\x7f');

/** Each of theirs that none of ours ends with, and what is left of ours. */
function unmatched(ours: readonly string[], theirs: readonly string[]): unknown {
  const left = ours.map(plain);
  const missing = theirs.map(plain).filter((their) => {
    const at = left.findIndex((our) => our === their || our.endsWith(`: ${their}`));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return { missing, left };
}

describe('validating beside the real Talos library', { skip: talosMachineryMissing() }, () => {
  it('finds the same problems, or refuses to load, for random configurations', async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    t.diagnostic(`SEED=${seed}`);
    const sampled = fc.sample(fc.tuple(validatableConfig(KINDS), fc.constantFrom(...MODES), fc.boolean()), {
      numRuns: CASES,
      seed,
    });
    const requests = sampled.map(([config, mode, strict]) => ({ config, patches: [], mode, strict }));
    const answers = await askTalosMachinery(requests);
    let compared = 0;
    for (const [i, answer] of answers.entries()) {
      const { config = '', mode = 'metal', strict = false } = requests[i] ?? {};
      const about = `case ${i} of SEED=${seed}, ${mode}\n${config}\n${answer.error}`;
      let documents: ReturnType<typeof loadConfig> | undefined;
      try {
        documents = loadConfig(config);
      } catch (error) {
        assert.ok(isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID'), String(error));
        if (answer.stage !== 'panic') assert.equal(answer.stage, 'result', `${about}\n${error.message}`);
        continue;
      }
      if (answer.stage === 'panic') continue;
      assert.equal(answer.stage, '', about);
      compared++;
      const { errors, warnings } = validateConfig(documents, { mode, strict });
      assert.deepEqual(unmatched(errors, answer.errors), { missing: [], left: [] }, about);
      assert.deepEqual(unmatched(warnings, answer.warnings), { missing: [], left: [] }, about);
    }
    t.diagnostic(`${compared} of ${CASES} loaded in both`);
  });
});
