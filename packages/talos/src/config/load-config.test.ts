import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { validatableConfig } from '../testing/validation-arbitrary.ts';
import { validateConfig } from '../validate/index.ts';
import { diffConfigs, loadConfig, readPatch, redactConfig, writeConfig } from './index.ts';
import { DOCUMENT_KINDS } from './type-table.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
const HOSTNAME = 'apiVersion: v1alpha1\nkind: HostnameConfig\n';

function refusal(text: string): string {
  try {
    loadConfig(text);
  } catch (error) {
    if (isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID')) return error.message;
    throw error;
  }
  return 'loaded';
}

describe('loading a configuration', () => {
  const prefix = 'reading machine configuration: ';
  const cases: readonly [name: string, text: string, want: string][] = [
    ['nothing at all', '', 'config not found'],
    ['only empty documents', '---\n---\nnull\n', 'config not found'],
    [
      'unknown keys, with what stands under them',
      'machine:\n  type: worker\n  foo:\n    bar: 1\n',
      'document 1, /v1alpha1: machine.foo (line 3): unknown key; unknown keys found during decoding:\nmachine:\n    foo:\n        bar: 1',
    ],
    [
      'values of the wrong kind, in whatever document',
      `machine: {}\n---\n${HOSTNAME}auto: [a]\n`,
      'document 2, v1alpha1/HostnameConfig: auto (line 5): expected a word',
    ],
    [
      'keys with dots, inside lists',
      'machine:\n  nodeLabels:\n    a.b/c: [1]\n  disks:\n    - device: /dev/sda\n      partitions: 5\n',
      'document 1, /v1alpha1: machine.nodeLabels.a.b/c (line 3): expected a string; machine.disks.0.partitions (line 6): expected a list',
    ],
    ['a document without kind', 'machine: {}\n---\nfoo: 1\n', 'document 2 (line 3): a document is missing kind'],
    [
      'a misspelt apiVersion',
      'apiversion: v1alpha1\nkind: HostnameConfig\n',
      'document 1 (line 1): document of kind HostnameConfig is missing apiVersion',
    ],
    [
      'an unknown kind',
      'apiVersion: v1alpha1\nkind: Foo\n',
      'document 1 (line 1): document kind v1alpha1/Foo is not registered',
    ],
    [
      'the legacy document with a kind',
      'apiVersion: v1alpha1\nkind: v1alpha1\nmachine: {}\n',
      'document 1 (line 1): document kind v1alpha1/v1alpha1 is not registered',
    ],
    [
      'a document twice',
      `${HOSTNAME}---\n${HOSTNAME}`,
      'document 2 (line 4): duplicate document v1alpha1/HostnameConfig is not allowed; the other one is document 1 (line 1)',
    ],
    [
      'two kinds of link with one name',
      'apiVersion: v1alpha1\nkind: BondConfig\nname: a\n---\napiVersion: v1alpha1\nkind: VLANConfig\nname: a\n',
      'document 2 (line 5): conflicting documents: BondConfig/a and VLANConfig/a; the other one is document 1 (line 1)',
    ],
    ['a key twice', 'machine: {type: worker, type: worker}\n', 'duplicate key at line 1, column 10'],
    ['a list', '- a\n', 'document 1 (line 1): a document is not a mapping'],
  ];
  for (const [name, text, want] of cases) {
    it(`refuses ${name}`, () => assert.equal(refusal(text), `${prefix}${want}`));
  }

  it('shows no text under an unknown key: a misspelt key does not tell that it holds a secret', () => {
    const text = refusal('machine:\n  tkoen: abcdef.0123456789abcdef\n  foo: true\n  bar: [hunter2]\n  mtu: 1500\n');
    assert.deepEqual(
      ['abcdef', 'hunter2', 'foo: true', 'mtu: 1500'].map((part) => text.includes(part)),
      [false, false, true, true],
      text,
    );
  });

  it('lists every problem with document, line and path as facts', () => {
    assert.throws(
      () => loadConfig(`machine: {}\n---\n${HOSTNAME}a: 1\nb: 2\n`),
      (error) => {
        assert.ok(isBloomeryError(error));
        assert.deepEqual(error.facts['problems'], [
          { document: 2, path: 'a', why: 'unknown key', line: 5 },
          { document: 2, path: 'b', why: 'unknown key', line: 6 },
        ]);
        return true;
      },
    );
  });

  it('says the line inside a patch', () => {
    assert.throws(
      () => readPatch(`machine: {}\n---\n${HOSTNAME}\nfoo: 1\n`, 'strict', 'spec.strategicPatches[1]'),
      /spec\.strategicPatches\[1\]: document 2, v1alpha1\/HostnameConfig: foo \(line 6\): unknown key/,
    );
  });
});

/** Everything that is done to a configuration, so that whatever loads is also safe to use. */
function use(text: string): void {
  try {
    const documents = loadConfig(text);
    validateConfig(documents, { mode: 'metal', strict: true });
    writeConfig(redactConfig(documents), 'lenient');
    assert.deepEqual(diffConfigs(documents, documents), []);
    loadConfig(writeConfig(documents, 'strict'));
  } catch (error) {
    assert.ok(isBloomeryError(error), `${String(error)}\n${text.slice(0, 500)}`);
    assert.ok(error.message.length < 20_000, `a message of ${error.message.length} characters`);
  }
}

describe('any text', () => {
  const kinds = DOCUMENT_KINDS.map(({ kind }) => kind).filter((kind) => kind !== '');
  const config = validatableConfig(kinds);

  it('is loaded or refused, when bytes of a configuration are changed', (t) => {
    t.diagnostic(`SEED=${seed}`);
    const edit = fc.tuple(fc.nat(), fc.nat({ max: 8 }), fc.string({ unit: 'binary', maxLength: 4 }));
    const mutated = fc.tuple(config, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
      edits.reduce((now, [at, cut, put]) => {
        const place = now.length === 0 ? 0 : at % now.length;
        return `${now.slice(0, place)}${put}${now.slice(place + cut)}`;
      }, text),
    );
    fc.assert(fc.property(mutated, use), { seed, numRuns: 1_500, interruptAfterTimeLimit: 20_000 });
  });

  it('is loaded or refused, when lines change places', () => {
    const shuffled = config.chain((text) => fc.shuffledSubarray(text.split('\n')).map((lines) => lines.join('\n')));
    fc.assert(fc.property(shuffled, use), { seed, numRuns: 500, interruptAfterTimeLimit: 20_000 });
  });

  const hostile: readonly [name: string, text: string][] = [
    ['deep nesting', `machine: ${'{a: '.repeat(10_000)}`],
    ['deep nesting of a free part', `machine:\n  kubelet:\n    extraConfig: ${'{a: '.repeat(100)}1${'}'.repeat(100)}`],
    [
      'aliases that multiply',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${[...'bcdefghi'].map((c, i) => `${c}: &${c} [${new Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\nmachine: {}\n`,
    ],
    ['a huge scalar', `machine: {token: ${'x'.repeat(3_000_000)}}`],
    ['a huge unknown key', `machine: {${'x'.repeat(1_000_000)}: 1}`],
    ['a huge URL', `cluster: {controlPlane: {endpoint: "https://${'a:'.repeat(500_000)}"}}`],
    ['a huge label', `machine: {nodeLabels: {"${'a-'.repeat(400_000)}/b": c}}`],
    ['a huge domain', `machine: {}\ncluster: {network: {dnsDomain: ${'a.'.repeat(400_000)}}}`],
    ['many documents', 'machine: {}\n---\n'.repeat(5_000)],
    ['many unknown keys', `machine:\n${Array.from({ length: 20_000 }, (_, i) => `  k${i}: 1\n`).join('')}`],
    ['numbers of many digits', `machine: {network: {interfaces: [{mtu: ${'9'.repeat(500_000)}}]}}`],
    ['sizes of many digits', `machine: {disks: [{partitions: [{size: ${'9'.repeat(500_000)}}]}]}`],
    ['control characters', '\u0000\u0001machine:\u0007'],
    ['lone surrogates', 'machine: {token: "\ud800"}'],
  ];
  for (const [name, text] of hostile) it(`with ${name} is loaded or refused`, () => use(text));
});
