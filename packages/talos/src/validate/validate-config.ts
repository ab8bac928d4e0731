import { type ConfigDocument, isLegacy } from '../config/index.ts';
import { legacyConflicts } from './conflicts.ts';
import { validateDocument } from './documents.ts';
import { validateLegacy } from './machine.ts';
import type { Findings } from './section.ts';

/** How a configuration is going to be used. */
export interface ValidateOptions {
  /** metal needs install instructions, container needs host DNS. */
  readonly mode: 'metal' | 'cloud' | 'container';
  /** Warnings of the legacy document are errors. */
  readonly strict?: boolean;
  /** `later`: the install disk is given by something that comes after, such as the patches of a Server. */
  readonly installDisk?: 'required' | 'later';
}

/** What is wrong with a configuration, in the words of Talos 1.13. */
export interface ValidationResult {
  /** Empty: Talos takes it. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Validate documents that were loaded strictly, as Talos does before it applies a configuration. All problems are
 * collected; those of further documents begin with the document (`BondConfig/bond0: …`). Kinds that are not known are left alone.
 */
export function validateConfig(documents: readonly ConfigDocument[], options: ValidateOptions): ValidationResult {
  const legacy = documents.find(isLegacy);
  const found: Findings = { errors: [], warnings: [] };
  if (legacy !== undefined) validateLegacy(legacy.tree, options, found);
  if (options.strict === true) {
    found.errors.push(...found.warnings.map((warning) => `warning: ${warning}`));
    found.warnings.length = 0;
  }
  for (const document of documents) if (!isLegacy(document)) validateDocument(document, found);
  if (legacy !== undefined) found.errors.push(...legacyConflicts(documents, legacy.tree));
  return found;
}
