import { apiError } from '@bloomery/kube';
import type { BloomeryError } from '@bloomery/ports';

/** What is wrong with one query parameter or field of the options. */
export interface OptionProblem {
  readonly field: string;
  readonly reason:
    | 'FieldValueForbidden'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueRequired'
    | 'FieldValueTooLong';
  readonly message: string;
}

/** The options of a request, as `meta.k8s.io` names them. */
export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions' | 'ListOptions';

/** 422 for the options of a request: `ListOptions.meta.k8s.io "" is invalid: ...`. At least one problem. */
export function invalidOptions(kind: OptionsKind, problems: readonly OptionProblem[]): BloomeryError {
  const texts = problems.map(({ field, message }) => `${field}: ${message}`);
  const [first = ''] = texts;
  return apiError({
    code: 422,
    reason: 'Invalid',
    message: `${kind}.meta.k8s.io "" is invalid: ${texts.length === 1 ? first : `[${texts.join(', ')}]`}`,
    details: {
      group: 'meta.k8s.io',
      kind,
      causes: problems.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  });
}

/** `Unsupported value: "x": supported values: "a", "b"` */
export function notSupported(field: string, value: unknown, supported: readonly string[]): OptionProblem {
  const list = supported.map((text) => JSON.stringify(text)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return { field, reason: 'FieldValueNotSupported', message };
}

/** `Forbidden: ...` */
export function forbiddenOption(field: string, why: string): OptionProblem {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}
