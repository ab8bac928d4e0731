import { asList, asObject, compact, only, spokeConversion, unlessEdited, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';

/** MetalCluster v1alpha2 to and from v1alpha3: the first endpoint of spec, else of status, is the endpoint. */
export const convertMetalCluster = spokeConversion({
  hub: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  spoke: 'infrastructure.cluster.x-k8s.io/v1alpha2',
  down: ({ spec, status }) => {
    const endpoint = asObject(spec?.['controlPlaneEndpoint']);
    const endpoints = isGiven(endpoint) ? [endpoint] : undefined;
    const rest = status && without(status, ['conditions', 'initialization', 'ready']);
    return {
      spec: compact({ ...without(asObject(spec), ['controlPlaneEndpoint']), apiEndpoints: endpoints }),
      status:
        status === undefined && endpoints === undefined
          ? undefined
          : compact({ ...rest, ready: status?.['ready'] ?? false, apiEndpoints: endpoints }),
    };
  },
  up: ({ spec, status }, before) => {
    const endpoint = firstEndpoint(spec, status);
    const was = before && firstEndpoint(before.spoke.spec, before.spoke.status);
    const stored = before?.hub;
    return {
      spec: compact({
        ...without(asObject(spec), ['apiEndpoints']),
        controlPlaneEndpoint: unlessEdited(endpoint, before && was, asObject(stored?.spec)['controlPlaneEndpoint']),
      }),
      status: status && {
        ...without(status, ['apiEndpoints']),
        ...only(asObject(stored?.status), ['conditions', 'initialization']),
      },
    };
  },
});

function firstEndpoint(spec: JsonObject | undefined, status: JsonObject | undefined): Json | undefined {
  return asList(spec?.['apiEndpoints'])[0] ?? asList(status?.['apiEndpoints'])[0];
}

function isGiven(endpoint: JsonObject): boolean {
  return (endpoint['host'] ?? '') !== '' || Number(endpoint['port'] ?? 0) !== 0;
}
