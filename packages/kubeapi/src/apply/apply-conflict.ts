import { goQuote } from '../schema/go-text.ts';
import type { FieldManager } from './managed-fields.ts';
import { pathText } from './path-element.ts';

/** A field that another manager owns with another value. */
export interface ApplyConflict {
  /** `.spec.ports[name="h"].port` */
  readonly field: string;
  /** The owner as messages name it: `"a"`, `"m" using g/v1`, `"m" with subresource "status" using g/v1`. */
  readonly owner: string;
}

/** The conflict over one path. */
export function conflictOf(owner: FieldManager, path: readonly string[]): ApplyConflict {
  const at = owner.subresource === '' ? '' : ` with subresource ${goQuote(owner.subresource)}`;
  const using = owner.operation === 'Update' ? ` using ${owner.apiVersion}` : '';
  return { field: pathText(path), owner: `${goQuote(owner.manager)}${at}${using}` };
}

/** The causes of the 409 Status. */
export function conflictCauses(
  conflicts: readonly ApplyConflict[],
): readonly { readonly reason: string; readonly message: string; readonly field: string }[] {
  return conflicts.map(({ field, owner }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${owner}`,
    field,
  }));
}

/** The message of the 409 Status. */
export function conflictText(conflicts: readonly ApplyConflict[]): string {
  const [only] = conflicts;
  if (conflicts.length === 1 && only !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${only.owner}: ${only.field}`;
  }
  const owners = [...new Set(conflicts.map(({ owner }) => owner))];
  const parts = owners.flatMap((owner) => [
    `conflicts with ${owner}:`,
    ...conflicts.filter((conflict) => conflict.owner === owner).map(({ field }) => `- ${field}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${parts.join('\n')}`;
}
