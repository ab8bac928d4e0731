import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import { jsonEqual } from '../json-equal.ts';
import type { Admission, FieldProblem } from '../kind.ts';
import type { LabelSelector } from '../selector/label-selector.ts';
import { compileLabelSelector } from '../selector/label-selector.ts';
import { bootMethodProblems, patchOperationProblems, patchWarnings } from './config-patch-admission.ts';

/**
 * Checks of ServerClass, both versions: a selector that cannot be evaluated and an unknown bootFromDiskMethod are refused
 * when they are new (an object that has them stays editable), suspicious patches are warned of.
 */
export function admitServerClass(object: JsonObject, old: JsonObject | undefined): Admission {
  const spec = asObject(object['spec']);
  const before = asObject(old?.['spec']);
  const isNew = (name: string): boolean => old === undefined || !jsonEqual(spec[name], before[name]);
  const selector = isNew('selector') ? selectorProblems(asObject(spec['selector'])) : [];
  const method = isNew('bootFromDiskMethod') ? bootMethodProblems(spec) : [];
  const operations = patchOperationProblems(spec).map((p) => `${p.field}: ${p.message}; applying it will fail`);
  return { problems: [...selector, ...method], warnings: [...operations, ...patchWarnings(spec)] };
}

function selectorProblems(selector: JsonObject): readonly FieldProblem[] {
  const compiled = compileLabelSelector(selector as LabelSelector);
  if (compiled.ok) return [];
  return [
    {
      field: 'spec.selector',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(selector)}: ${compiled.problem}`,
    },
  ];
}
