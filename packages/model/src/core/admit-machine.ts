import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';
import { LABELS } from '../well-known.ts';
import { durationProblems, invalid, otherCluster } from './admit-machine-template.ts';
import { otherNamespace } from './other-namespace.ts';
import { withReferenceNamespaces } from './reference-namespaces.ts';

const VERSION = /^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)([-0-9a-zA-Z_.+]*)?$/;
/** How long a Node may resist its deletion, where a Machine says nothing else. */
const NODE_DELETION_TIMEOUT = '10s';

/** Cluster API's defaults of a Machine: label of its cluster, namespaces of references, a `v` before the version. */
export function defaultMachine(object: JsonObject): JsonObject {
  const whole = withReferenceNamespaces(object, [['infrastructureRef'], ['bootstrap', 'configRef']]);
  const spec = asObject(whole['spec']);
  const metadata = asObject(whole['metadata']);
  const { clusterName, version } = spec;
  const labels = asObject(metadata['labels']);
  const isLabelled =
    typeof clusterName !== 'string' || clusterName === '' || labels[LABELS.clusterName] === clusterName;
  const isNormal = typeof version !== 'string' || version === '' || version.startsWith('v');
  return {
    ...whole,
    ...(isLabelled ? {} : { metadata: { ...metadata, labels: { ...labels, [LABELS.clusterName]: clusterName } } }),
    ...(whole['spec'] === undefined
      ? {}
      : {
          spec: {
            ...spec,
            ...(isNormal ? {} : { version: `v${version}` }),
            nodeDeletionTimeout: spec['nodeDeletionTimeout'] ?? NODE_DELETION_TIMEOUT,
          },
        }),
  };
}

/** Cluster API's checks of a Machine. */
export function admitMachine(object: JsonObject, old: JsonObject | undefined): Admission {
  const spec = asObject(object['spec']);
  const bootstrap = asObject(spec['bootstrap']);
  const { version } = spec;
  return {
    problems: [
      ...(bootstrap['configRef'] === undefined && bootstrap['dataSecretName'] === undefined ? [noBootstrap()] : []),
      ...otherNamespace(object, ['bootstrap', 'configRef']),
      ...otherNamespace(object, ['infrastructureRef']),
      ...otherCluster(object, old),
      ...(typeof version === 'string' && !VERSION.test(version)
        ? [invalid('spec.version', version, 'must be a valid semantic version')]
        : []),
      ...['nodeDrainTimeout', 'nodeVolumeDetachTimeout', 'nodeDeletionTimeout'].flatMap((name) =>
        durationProblems(`spec.${name}`, spec[name]),
      ),
    ],
  };
}

function noBootstrap(): FieldProblem {
  return {
    field: 'spec.bootstrap.data',
    reason: 'FieldValueRequired',
    message:
      'Required value: expected either spec.bootstrap.dataSecretName or spec.bootstrap.configRef to be populated',
  };
}
