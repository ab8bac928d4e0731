import type { FieldProblem } from '@bloomery/model';
import { invalid } from './field-causes.ts';

/** What keeps a name from being one segment of a path: names of RBAC kinds may hold anything else. */
export function pathSegmentProblems(field: string, name: string): readonly FieldProblem[] {
  if (name === '.' || name === '..') return [invalid(field, name, `may not be '${name}'`)];
  return ['/', '%'].flatMap((sign) => (name.includes(sign) ? [invalid(field, name, `may not contain '${sign}'`)] : []));
}
