import { type FieldProblem, type JsonObject, jsonEqual } from '@bloomery/model';
import { record } from '../../json-parts.ts';
import { invalid } from '../../schema/index.ts';
import { columnProblems } from './crd-columns.ts';
import { conversionProblems } from './crd-conversion.ts';
import { nameProblems } from './crd-names.ts';
import { versionsOf } from './crd-parts.ts';
import { updateProblems } from './crd-update.ts';
import { versionProblems } from './crd-versions.ts';

/**
 * What is wrong with a CustomResourceDefinition, at the paths and in the words of kube-apiserver.
 *
 * @param old the stored definition, for an update. What has been let in stays usable: an update that leaves `spec` alone is
 *   not judged again.
 */
export function crdProblems(object: JsonObject, old: JsonObject | undefined): readonly FieldProblem[] {
  const spec = record(object['spec']);
  if (old !== undefined && jsonEqual(spec, old['spec'])) return [];
  return [
    ...nameProblems(object),
    ...preserveProblems(spec),
    ...versionProblems(spec),
    ...columnProblems(versionsOf(spec)),
    ...conversionProblems(spec),
    ...(old === undefined ? [] : updateProblems(object, old)),
  ];
}

function preserveProblems(spec: JsonObject): readonly FieldProblem[] {
  if (spec['preserveUnknownFields'] !== true) return [];
  const why = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [invalid('spec.preserveUnknownFields', true, why)];
}
