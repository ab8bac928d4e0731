import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { randomConfig, randomPatch } from '../testing/config-arbitrary.ts';
import { talosJson } from '../yaml/index.ts';
import {
  type ConfigPatch,
  encodeDocuments,
  operationsPatch,
  patchConfig,
  readPatch,
  type Strictness,
  writeConfig,
} from './index.ts';

const BASE = 'version: v1alpha1\nmachine:\n  type: worker\n';

function patched(config: string, ...patches: readonly string[]): unknown {
  const read = patches.map((text) => readPatch(text, 'strict'));
  return encodeDocuments(patchConfig(config, read, { strictness: 'strict' })).map(talosJson);
}

const legacy = (machine: object, rest: object = {}): unknown => ({
  version: 'v1alpha1',
  machine: { type: 'worker', token: '', certSANs: [], ...machine },
  cluster: null,
  ...rest,
});

describe('strict patching', () => {
  it('refuses to delete a document that is not there, where the real library falls over', () => {
    assert.throws(() => patched(BASE, 'apiVersion: v1alpha1\nkind: HostnameConfig\n$patch: delete\n'), {
      code: 'BLM_TALOS_PATCH_INVALID',
    });
  });

  it('takes null in free-form parts for absent, where the real library falls over', () => {
    const config = `${BASE}  kubelet: {extraConfig: {a: {b: c}, z: 5}}\n`;
    assert.deepEqual(patched(config, 'machine: {kubelet: {extraConfig: {z: , a: }}}'), [
      legacy({ kubelet: { extraConfig: { a: { b: 'c' }, z: 5 } } }),
    ]);
  });

  it('reads scalars by the type that is expected', () => {
    const config = `${BASE}  token: yes\n  sysctls: {a: 0123, b: 1e3, c: true, d: 2026-01-01}\n  network: {interfaces: [{interface: 5, mtu: 0x10, dhcp: "yes"}]}\n`;
    assert.deepEqual(patched(config), [
      legacy({
        token: 'yes',
        sysctls: { a: '0123', b: '1e3', c: 'true', d: '2026-01-01' },
        network: { interfaces: [{ interface: '5', mtu: 16, dhcp: true }] },
      }),
    ]);
  });

  it('can apply a JSON patch to the legacy document of several, when asked', () => {
    const config = `${BASE}---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n`;
    const patch = readPatch('[{"op":"add","path":"/machine/token","value":"t"}]', 'strict');
    assert.throws(() => patchConfig(config, [patch], { strictness: 'strict' }), /not supported for multi-document/);
    const documents = patchConfig(config, [patch], { strictness: 'strict', jsonPatchOnSeveral: 'legacyDocument' });
    assert.deepEqual(encodeDocuments(documents).map(talosJson), [
      legacy({ token: 't' }),
      { apiVersion: 'v1alpha1', kind: 'HostnameConfig', auto: 'stable' },
    ]);
  });

  it('names places but never values when it refuses', () => {
    for (const text of [
      'machine: {tokens: hunter2}',
      'machine: {network: hunter2}',
      '- {op: test, path: /machine/token, value: hunter2}',
      'apiVersion: v1\nkind: X\nhunter2: a',
      'a: "hunter2',
    ]) {
      assert.throws(
        () => patched(BASE, text),
        (error) => isBloomeryError(error) && !error.message.includes('hunter2'),
        text,
      );
    }
  });

  it('merges big lists in time', () => {
    const list = Array.from({ length: 10_000 }, (_, i) => `{interface: eth${i}, mtu: 9000}`).join(', ');
    const text = `machine: {network: {interfaces: [${list}]}}`;
    const [document] = patchConfig(`version: v1alpha1\n${text}`, [readPatch(text, 'strict')], { strictness: 'strict' });
    assert.equal(JSON.stringify(document?.tree).match(/"mtu":9000/g)?.length, 10_000);
  });

  it('changes and deletes thousands of keys of a big mapping in time', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `label${i}`);
    const labels = (value: string) => `machine: {nodeLabels: {${names.map((name) => `${name}: ${value}`).join(', ')}}}`;
    const replaced = names.map((name) => ({ op: 'replace', path: `/machine/nodeLabels/${name}`, value: 'b' }));
    const [changed] = patchConfig(labels('a'), [readPatch(JSON.stringify(replaced), 'strict')], {
      strictness: 'strict',
    });
    assert.equal(JSON.stringify(changed?.tree).match(/":"b"/g)?.length, 10_000);
    const [deleted] = patchConfig(labels('a'), [readPatch(labels('{$patch: delete}'), 'strict')], {
      strictness: 'strict',
    });
    assert.equal(JSON.stringify(deleted?.tree).includes('label1'), false);
  });

  it('refuses copies that double what is there again and again', () => {
    const copies = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/machine', path: `/machine/a${i}` }));
    assert.throws(
      () => patched(BASE, JSON.stringify(copies)),
      /operation \d+ \(copy \/machine\/a\d+\): more than 200000 values are copied/,
    );
  });

  it('changes one copy of a value and not the other', () => {
    const operations = [
      { op: 'add', path: '/machine/sysctls', value: { a: '1' } },
      { op: 'copy', from: '/machine/sysctls', path: '/machine/sysfs' },
      { op: 'add', path: '/machine/sysctls/b', value: '2' },
      { op: 'remove', path: '/machine/sysfs/a' },
      { op: 'add', path: '/machine/sysfs/c', value: '3' },
    ];
    const [document] = patchConfig('machine: {type: worker}', [readPatch(JSON.stringify(operations), 'strict')], {
      strictness: 'strict',
    });
    assert.deepEqual(document?.tree, { machine: { type: 'worker', sysctls: { a: '1', b: '2' }, sysfs: { c: '3' } } });
  });

  it('does not leave out operations of which there are too many', () => {
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/version', value: 'v1alpha1' }));
    assert.throws(
      () => operationsPatch(operations, 'spec.configPatches'),
      /reading spec\.configPatches: 10001 operations/,
    );
  });
});

describe('any patching', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
  const texts = fc.oneof(
    randomConfig,
    randomPatch,
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '',
      'null',
      '[]',
      '{}',
      '- 5',
      '- {op: add}',
      '{$patch: delete}',
      'machine: {a: [{$patch: delete}]}',
      'kind: 5\napiVersion: []',
      '- {op: [], path: {}}',
    ),
  );
  for (const strictness of ['strict', 'lenient'] as const satisfies readonly Strictness[]) {
    it(`gives documents or a refusal with its stage, whatever the text (${strictness})`, (t) => {
      t.diagnostic(`SEED=${seed}`);
      fc.assert(
        fc.property(texts, fc.array(texts, { maxLength: 3 }), (config, patches) => {
          try {
            const read: ConfigPatch[] = patches.map((text) => readPatch(text, strictness));
            const documents = patchConfig(config, read, { strictness });
            const again = patchConfig(writeConfig(documents, strictness), [], { strictness });
            assert.equal(writeConfig(again, strictness), writeConfig(documents, strictness));
          } catch (error) {
            if (!isBloomeryError(error)) throw error;
            assert.match(String(error.facts['stage']), /^(load|apply|result)$/);
          }
        }),
        { seed, numRuns: 3_000, interruptAfterTimeLimit: 20_000 },
      );
    });
  }
});
