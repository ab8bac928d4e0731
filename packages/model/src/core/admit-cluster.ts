import { asList, asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';
import { isJsonObject } from '../kind.ts';
import { compileLabelSelector } from '../selector/label-selector.ts';
import { invalid } from './admit-machine-template.ts';
import { isCidr } from './cidr.ts';
import { otherNamespace } from './other-namespace.ts';

/**
 * Cluster API's checks of a Cluster, and that it has no topology: ClusterClasses are not offered, and a Cluster that waits for
 * one would wait for ever.
 */
export function admitCluster(object: JsonObject, old: JsonObject | undefined): Admission {
  const spec = asObject(object['spec']);
  const name = asObject(object['metadata'])['name'];
  return {
    problems: [
      ...nameProblems(typeof name === 'string' ? name : ''),
      ...removed('infrastructureRef', spec, old),
      ...otherNamespace(object, ['infrastructureRef']),
      ...removed('controlPlaneRef', spec, old),
      ...otherNamespace(object, ['controlPlaneRef']),
      ...['pods', 'services'].flatMap((part) => cidrProblems(part, asObject(spec['clusterNetwork'])[part])),
      ...(spec['topology'] === undefined ? [] : [noTopology()]),
    ],
  };
}

/** The name is the value of a label on everything of the cluster. */
function nameProblems(name: string): readonly FieldProblem[] {
  const compiled = compileLabelSelector({ matchLabels: { name } });
  return compiled.ok ? [] : [invalid('metadata.name', name, `must be a valid label value: ${compiled.problem}`)];
}

function removed(part: string, spec: JsonObject, old: JsonObject | undefined): readonly FieldProblem[] {
  if (spec[part] !== undefined || asObject(old?.['spec'])[part] === undefined) return [];
  return [{ field: `spec.${part}`, reason: 'FieldValueForbidden', message: 'Forbidden: cannot be removed' }];
}

function cidrProblems(part: string, ranges: unknown): readonly FieldProblem[] {
  const blocks = isJsonObject(ranges as JsonObject) ? asList((ranges as JsonObject)['cidrBlocks']) : [];
  return blocks.flatMap((block, i) => {
    if (typeof block === 'string' && isCidr(block)) return [];
    return [invalid(`spec.clusterNetwork.${part}.cidrBlocks[${i}]`, block, `invalid CIDR address: ${String(block)}`)];
  });
}

function noTopology(): FieldProblem {
  return {
    field: 'spec.topology',
    reason: 'FieldValueForbidden',
    message:
      'Forbidden: ClusterClasses are not offered here; name spec.infrastructureRef and spec.controlPlaneRef instead, or run Cluster API core beside the plane (serve --cluster-api external)',
  };
}
