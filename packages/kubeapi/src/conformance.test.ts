import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AREAS } from './testing/conformance/areas.ts';
import { differencesTable, withDifferences } from './testing/conformance/differences.ts';
import { Normaliser } from './testing/conformance/normaliser.ts';
import { readRecording } from './testing/conformance/recording.ts';

const PAGE = join(import.meta.dirname, '../../../docs/reference/kube-api-differences.md');
const UID = '11111111-2222-3333-4444-555555555555';

describe('the conformance suite', () => {
  it('has its differences in the reference: run packages/kubeapi/src/testing/conformance/main.ts differences', () => {
    const page = readFileSync(PAGE, 'utf8');
    assert.equal(withDifferences(page, differencesTable(AREAS)), page);
  });

  for (const { name, cases } of AREAS) {
    it(`has a recording of each case of ${name}, and of no other`, () => {
      const recording = readRecording(name);
      assert.deepEqual(Object.keys(recording).sort(), Object.keys(cases).sort());
      for (const [title, { differs }] of Object.entries(cases))
        assert.equal(recording[title]?.ours !== undefined, differs !== undefined, title);
    });
  }
});

describe('a recording', () => {
  const normaliser = (): Normaliser => new Normaliser('c-abc', 'https://127.0.0.1:1234');

  it('names uids and versions in the order in which they are seen', () => {
    const metadata = { uid: UID, resourceVersion: '7' };
    const normal = normaliser();
    assert.deepEqual(normal.json({ metadata }), { metadata: { uid: 'UID0', resourceVersion: 'RV0' } });
    const next = { uid: UID, resourceVersion: '8', note: `of ${UID}` };
    assert.deepEqual(normal.json(next), { uid: 'UID0', resourceVersion: 'RV1', note: 'of UID0' });
  });

  it('has no times, ages, addresses and names of its run', () => {
    const normal = normaliser();
    assert.equal(
      normal.text('c-abc at 2024-01-02T03:04:05Z by 127.0.0.1:1234'),
      `${'$'}{NS} at TIME by ${'$'}{SERVER}`,
    );
    assert.equal(normal.columns('NAME   AGE\na      3m12s  '), 'NAME  AGE\na  AGE');
    assert.equal(normal.path('GET /x?resourceVersion=123&watch=1'), 'GET /x?resourceVersion=RV&watch=1');
    assert.deepEqual(normal.json({ items: [], metadata: { resourceVersion: '9' } }), {
      items: [],
      metadata: { resourceVersion: 'RV' },
    });
  });

  it('does not mind the order of several causes', () => {
    const cause = (field: string) => ({ reason: 'R', message: 'm', field });
    const status = (...fields: readonly string[]) => ({
      kind: 'Status',
      message: `X "x" is invalid: [${fields.join(', ')}]`,
      details: { causes: fields.map(cause) },
    });
    assert.deepEqual(normaliser().json(status('b', 'a')), normaliser().json(status('a', 'b')));
  });
});
