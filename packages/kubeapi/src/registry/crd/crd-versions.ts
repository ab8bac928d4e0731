import { type FieldProblem, isJsonObject, type JsonObject } from '@bloomery/model';
import { record, text } from '../../json-parts.ts';
import { invalid, required } from '../../schema/index.ts';
import { isLabel, LABEL_RULE } from './crd-names.ts';
import { versionPaths, versionsOf } from './crd-parts.ts';
import { schemaProblems } from './structural-schema.ts';

const MAX_WARNING = 256;

/** What is wrong with the versions: names, storage, schemas, deprecation. */
export function versionProblems(spec: JsonObject): readonly FieldProblem[] {
  const versions = versionsOf(spec);
  return [
    ...storageProblems(versions, spec['versions'] === undefined),
    ...versions.flatMap((version, i) => [
      ...versionNameProblems(version, i),
      ...deprecationProblems(version, `spec.versions[${i}].deprecationWarning`),
      ...(schemaOf(version) === undefined ? [required(`spec.versions[${i}].schema.openAPIV3Schema`)] : []),
    ]),
    ...versionPaths(versions, 'schema', 'spec.validation').flatMap(({ version, path }) => {
      const schema = schemaOf(version);
      return schema === undefined ? [] : schemaProblems(schema, `${path}.openAPIV3Schema`);
    }),
  ];
}

function schemaOf(version: JsonObject): JsonObject | undefined {
  const schema = record(version['schema'])['openAPIV3Schema'];
  return isJsonObject(schema) ? schema : undefined;
}

function storageProblems(versions: readonly JsonObject[], absent: boolean): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const stored = versions.filter((version) => version['storage'] === true).map((version) => text(version['name']));
  const printed = `Invalid value: ${absent ? 'null' : goVersions(versions)}`;
  const refuse = (why: string): void => {
    problems.push({ field: 'spec.versions', reason: 'FieldValueInvalid', message: `${printed}: ${why}` });
  };
  const names = versions.map((version) => text(version['name']));
  if (new Set(names).size < names.length) refuse('must contain unique version names');
  if (stored.length !== 1) refuse('must have exactly one version marked as storage version');
  if (stored.length === 0)
    problems.push(invalid('status.storedVersions', null, 'must have at least one stored version'));
  const last = stored.at(-1);
  if (stored.length > 1 && last !== undefined) {
    problems.push(invalid('status.storedVersions', [stored[0] ?? ''], `must have the storage version ${last}`));
  }
  return problems;
}

function versionNameProblems(version: JsonObject, i: number): readonly FieldProblem[] {
  const name = text(version['name']);
  if (isLabel(name)) return [];
  const problems = [invalid(`spec.versions[${i}].name`, name, LABEL_RULE)];
  return i === 0 ? [...problems, invalid('spec.version', name, LABEL_RULE)] : problems;
}

function deprecationProblems(version: JsonObject, field: string): readonly FieldProblem[] {
  const warning = version['deprecationWarning'];
  if (typeof warning !== 'string') return [];
  if (version['deprecated'] !== true) return [invalid(field, warning, 'can only be set for deprecated versions')];
  if (warning === '') return [invalid(field, warning, 'must not be an empty string')];
  if (warning.length > MAX_WARNING) return [invalid(field, warning, `must be <= ${MAX_WARNING} characters long`)];
  const at = [...warning].findIndex((char) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char));
  if (at < 0) return [];
  return [
    invalid(
      field,
      warning,
      `must only contain printable UTF-8 characters; non-printable character found at index ${at}`,
    ),
  ];
}

/** The versions as kube-apiserver prints their structure; what is common to all of them is not printed. */
function goVersions(versions: readonly JsonObject[]): string {
  return JSON.stringify(
    versions.map((version) => ({
      Name: text(version['name']),
      Served: version['served'] === true,
      Storage: version['storage'] === true,
      Deprecated: version['deprecated'] === true,
      DeprecationWarning: version['deprecationWarning'] ?? null,
      Schema: null,
      Subresources: null,
      AdditionalPrinterColumns: null,
      SelectableFields: null,
    })),
  );
}
