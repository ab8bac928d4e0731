import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { FieldProblem, JsonObject } from '@bloomery/model';
import { crdDefaults } from './crd-defaults.ts';
import { crdProblems } from './crd-problems.ts';

interface Refusal {
  readonly name: string;
  readonly crd: JsonObject;
  readonly causes: readonly FieldProblem[];
}

/** Recorded from kube-apiserver 1.34.4: what it says to each of these definitions, nothing where it takes them. */
const REFUSALS: readonly Refusal[] = JSON.parse(readFileSync(new URL('crd-refusals.json', import.meta.url), 'utf8'));

function sorted(problems: readonly FieldProblem[]): readonly string[] {
  return problems.map(({ field, reason, message }) => `${field} | ${reason} | ${message}`).sort();
}

describe('a CustomResourceDefinition is judged as kube-apiserver judges it:', () => {
  for (const { name, crd, causes } of REFUSALS) {
    it(name, () => {
      // Where a name is no name at all, all objects are refused alike: the metadata rules see to that.
      const wanted = causes.filter(({ message }) => !message.startsWith('Invalid value: "bads.": a lowercase'));
      assert.deepEqual(sorted(crdProblems(crdDefaults(crd), undefined)), sorted(wanted));
    });
  }
});
