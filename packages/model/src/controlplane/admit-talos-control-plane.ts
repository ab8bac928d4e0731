import { notInList } from '../admission-text.ts';
import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission } from '../kind.ts';

const STRATEGIES = ['', 'RollingUpdate', 'OnDelete'];

/** Checks of TalosControlPlane: the rollout strategy is out of a closed list. */
export function admitTalosControlPlane(object: JsonObject): Admission {
  const type = asObject(asObject(object['spec'])['rolloutStrategy'])['type'] ?? '';
  const isKnown = STRATEGIES.includes(String(type));
  return { problems: isKnown ? [] : [notInList('spec.rolloutStrategy.type', type, STRATEGIES.slice(1))] };
}

/** Defaults of TalosControlPlane: a version without "v" gets one, the template's namespace is the object's. */
export function defaultTalosControlPlane(object: JsonObject): JsonObject {
  const { spec } = object;
  if (spec === undefined) return object;
  const { version, infrastructureTemplate, ...rest } = asObject(spec);
  const template = asObject(infrastructureTemplate);
  const namespace = template['namespace'] ?? asObject(object['metadata'])['namespace'];
  return {
    ...object,
    spec: {
      ...rest,
      ...(typeof version === 'string' ? { version: version.startsWith('v') ? version : `v${version}` } : {}),
      ...(infrastructureTemplate === undefined
        ? {}
        : { infrastructureTemplate: namespace === undefined ? template : { ...template, namespace } }),
    },
  };
}
