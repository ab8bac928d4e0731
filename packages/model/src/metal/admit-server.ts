import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission } from '../kind.ts';
import {
  bootMethodProblems,
  patchOperationProblems,
  patchWarnings,
  pxeModeProblems,
} from './config-patch-admission.ts';

/** Checks of Server, both versions, on create and update (spec/metal.md §4); problems in upstream's order. */
export function admitServer(object: JsonObject): Admission {
  const spec = asObject(object['spec']);
  return {
    problems: [...bootMethodProblems(spec), ...pxeModeProblems(spec), ...patchOperationProblems(spec)],
    warnings: patchWarnings(spec),
  };
}
