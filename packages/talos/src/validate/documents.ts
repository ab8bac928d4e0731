import { type ConfigDocument, identityText } from '../config/index.ts';
import type { YamlMap } from '../yaml/index.ts';
import { LINK_DOCUMENTS } from './link-documents.ts';
import { NETWORK_DOCUMENTS } from './network-documents.ts';
import { REGISTRY_DOCUMENTS } from './registry-documents.ts';
import { RUNTIME_DOCUMENTS } from './runtime-documents.ts';
import type { Findings } from './section.ts';
import { VOLUME_DOCUMENTS } from './volume-documents.ts';

/** Validates the tree of one kind of document. */
export type DocumentValidator = (document: YamlMap, found: Findings) => void;

/** Kind to what validates it. Kinds without rules are absent. */
export type DocumentValidators = Readonly<Record<string, DocumentValidator>>;

const VALIDATORS: ReadonlyMap<string, DocumentValidator> = new Map(
  [LINK_DOCUMENTS, NETWORK_DOCUMENTS, REGISTRY_DOCUMENTS, RUNTIME_DOCUMENTS, VOLUME_DOCUMENTS].flatMap((part) =>
    Object.entries(part),
  ),
);

/** Validate one document that is not the legacy one. */
export function validateDocument(document: ConfigDocument, found: Findings): void {
  const own: Findings = { errors: [], warnings: [] };
  VALIDATORS.get(document.kind)?.(document.tree, own);
  // The version is the same for all; people know documents by kind and name.
  const name = identityText(document).slice(document.apiVersion.length + 1);
  found.errors.push(...own.errors.map((error) => `${name}: ${error}`));
  found.warnings.push(...own.warnings);
}
