import { invalidOptions, notSupported, type OptionProblem, type OptionsKind } from '../pipeline/invalid-options.ts';

/** The query of a create, update or patch. */
export interface WriteOptions {
  /** '' when none was named. */
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
}

const MAX_MANAGER_BYTES = 128;
/** What Go does not print: controls, formats, and every space but the plain one. */
const UNPRINTABLE = /[^\P{C}]|[^\P{Z} ]/u;

/**
 * Read the options of a write.
 *
 * @param more problems that the kind of write adds.
 * @throws 422 `CreateOptions.meta.k8s.io "" is invalid: ...`.
 */
export function writeOptionsOf(
  query: URLSearchParams,
  kind: OptionsKind,
  more: readonly OptionProblem[] = [],
): WriteOptions {
  const fieldManager = query.get('fieldManager') ?? '';
  const given = query.get('fieldValidation') || 'Warn';
  const fieldValidation = given === 'Ignore' || given === 'Strict' || given === 'Warn' ? given : undefined;
  const dryRun = query.getAll('dryRun');
  const problems: OptionProblem[] = [...more, ...managerProblems(fieldManager), ...dryRunProblems(dryRun)];
  if (fieldValidation === undefined)
    problems.push(notSupported('fieldValidation', given, ['', 'Ignore', 'Strict', 'Warn']));
  if (problems.length > 0 || fieldValidation === undefined) throw invalidOptions(kind, problems);
  return { fieldManager, dryRun: dryRun.length > 0, fieldValidation };
}

/** What is wrong with the values of `dryRun`: only `All` is one. */
export function dryRunProblems(values: readonly string[]): readonly OptionProblem[] {
  return values.some((value) => value !== 'All') ? [notSupported('dryRun', values, ['All'])] : [];
}

function managerProblems(manager: string): readonly OptionProblem[] {
  if (manager === '') return [];
  const field = 'fieldManager';
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES) {
    const message = `Too long: may not be more than ${MAX_MANAGER_BYTES} bytes`;
    return [{ field, reason: 'FieldValueTooLong', message }];
  }
  const bad = UNPRINTABLE.exec(manager);
  if (bad === null) return [];
  const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const message = `Invalid value: ${JSON.stringify(manager)}: invalid character U+${code} (at position ${bad.index})`;
  return [{ field, reason: 'FieldValueInvalid', message }];
}
