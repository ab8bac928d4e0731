import { asObject, compact, spokeConversion, without } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { KindDefinition } from '../kind.ts';

const GROUP = 'bootstrap.cluster.x-k8s.io';
/** Annotation of a stored object whose generateType was written in an old spelling that the stored version has no word for. */
const OLD_GENERATE_TYPE = 'bloomery.dev/generate-type';

type Conversion = NonNullable<KindDefinition['convert']>;

/** TalosConfig of an older version to and from v1beta1, lossless (spec/cluster.md §2). */
export function convertTalosConfig(version: string): Conversion {
  return withOldGenerateType(
    spokeConversion({
      hub: `${GROUP}/v1beta1`,
      spoke: `${GROUP}/${version}`,
      down: ({ spec, status }) => ({ spec, status: status && statusDown(status) }),
      up: ({ spec, status }) => ({ spec, status: status && statusUp(status) }),
    }),
    (spec) => spec,
    (_whole, spec) => spec,
  );
}

/** TalosConfigTemplate of an older version to and from v1beta1. */
export function convertTalosConfigTemplate(version: string): Conversion {
  return withOldGenerateType(
    spokeConversion({
      hub: `${GROUP}/v1beta1`,
      spoke: `${GROUP}/${version}`,
      down: (body) => body,
      up: (body) => body,
    }),
    (spec) => asObject(asObject(spec['template'])['spec']),
    (whole, spec) => ({ ...whole, template: { ...asObject(whole['template']), spec } }),
  );
}

function withOldGenerateType(
  plain: Conversion,
  inside: (spec: JsonObject) => JsonObject,
  put: (whole: JsonObject, spec: JsonObject) => JsonObject,
): Conversion {
  const withType = (object: JsonObject, type: string, annotations: JsonObject): JsonObject => {
    const whole = asObject(object['spec']);
    const { annotations: _old, ...metadata } = asObject(object['metadata']);
    return {
      ...object,
      metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
      spec: put(whole, { ...inside(whole), generateType: type }),
    };
  };
  const annotationsOf = (object: JsonObject): JsonObject => asObject(asObject(object['metadata'])['annotations']);
  return {
    toStorage: (object) => {
      const stored = plain.toStorage(object);
      const type = inside(asObject(stored['spec']))['generateType'];
      if (type !== 'join' && type !== '') return stored;
      return withType(stored, 'worker', { ...annotationsOf(stored), [OLD_GENERATE_TYPE]: type });
    },
    fromStorage: (object) => {
      const old = annotationsOf(object)[OLD_GENERATE_TYPE];
      const spoke = plain.fromStorage(object);
      if (typeof old !== 'string' || inside(asObject(object['spec']))['generateType'] !== 'worker') return spoke;
      return withType(spoke, old, without(annotationsOf(spoke), [OLD_GENERATE_TYPE]));
    },
  };
}

function statusDown(status: JsonObject): JsonObject {
  const legacy = asObject(asObject(status['deprecated'])['v1beta']);
  const created = asObject(status['initialization'])['dataSecretCreated'];
  return compact({
    ...without(status, ['initialization', 'conditions', 'deprecated']),
    ...legacy,
    ready: created,
    v1beta2Status: status['conditions'] === undefined ? undefined : { conditions: status['conditions'] },
  });
}

function statusUp(status: JsonObject): JsonObject {
  const { ready, v1beta2Status, conditions, failureReason, failureMessage, talosConfig, ...rest } = status;
  const legacy = compact({ conditions, failureReason, failureMessage, talosConfig });
  return compact({
    ...rest,
    initialization: ready === undefined ? undefined : { dataSecretCreated: ready },
    conditions: asObject(v1beta2Status)['conditions'],
    deprecated: Object.keys(legacy).length > 0 ? { v1beta: legacy } : undefined,
  });
}
