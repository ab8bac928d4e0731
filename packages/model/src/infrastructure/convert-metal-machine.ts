import { asObject, compact, only, spokeConversion, without } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';

const HUB = 'infrastructure.cluster.x-k8s.io/v1alpha3';
const SPOKE = 'infrastructure.cluster.x-k8s.io/v1alpha2';
const SPEC_LOST = ['serverClassRef'];
const STATUS_RENAMED = ['failureReason', 'failureMessage', 'errorReason', 'errorMessage'];
const STATUS_LOST = ['addresses', 'conditions', 'initialization'];

/** MetalMachine v1alpha2 to and from v1alpha3, lossless (spec/metal.md §5). */
export const convertMetalMachine = spokeConversion({
  hub: HUB,
  spoke: SPOKE,
  down: ({ spec, status }) => ({ spec: spec && without(spec, SPEC_LOST), status: status && statusDown(status) }),
  up: ({ spec, status }, before) => ({
    spec: spec && { ...spec, ...only(asObject(before?.hub.spec), SPEC_LOST) },
    status: status && statusUp(status, asObject(before?.hub.status)),
  }),
});

/** MetalMachineTemplate v1alpha2 to and from v1alpha3, lossless. */
export const convertMetalMachineTemplate = spokeConversion({
  hub: HUB,
  spoke: SPOKE,
  down: ({ spec, status }) => {
    const template = asObject(spec?.['template']);
    return {
      spec: spec && {
        ...spec,
        template: { ...without(template, ['metadata']), spec: without(asObject(template['spec']), SPEC_LOST) },
      },
      status,
    };
  },
  up: ({ spec, status }, before) => {
    const template = asObject(spec?.['template']);
    const stored = asObject(asObject(before?.hub.spec)['template']);
    return {
      spec: spec && {
        ...spec,
        template: {
          ...template,
          ...only(stored, ['metadata']),
          spec: { ...asObject(template['spec']), ...only(asObject(stored['spec']), SPEC_LOST) },
        },
      },
      status,
    };
  },
});

function statusDown(status: JsonObject): JsonObject {
  return compact({
    ...without(status, [...STATUS_RENAMED, ...STATUS_LOST]),
    ready: status['ready'] ?? false,
    errorReason: status['failureReason'],
    errorMessage: status['failureMessage'],
  });
}

function statusUp(status: JsonObject, stored: JsonObject): JsonObject {
  return compact({
    ...without(status, STATUS_RENAMED),
    ...only(stored, STATUS_LOST),
    failureReason: status['errorReason'],
    failureMessage: status['errorMessage'],
  });
}
