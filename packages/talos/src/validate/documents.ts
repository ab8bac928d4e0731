import type { ConfigDocument } from '../config/index.ts';
import { documentKind } from '../config/type-table.ts';
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
  const isNamed = documentKind(document.apiVersion, document.kind)?.named === true;
  const id = isNamed ? `${document.kind}/${document.name}` : document.kind;
  found.errors.push(...own.errors.map((error) => `${id}: ${error}`));
  found.warnings.push(...own.warnings);
}
