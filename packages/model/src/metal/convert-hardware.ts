import { asList, asObject, compact, only, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { jsonEqual } from '../json-equal.ts';
import { isJsonObject } from '../kind.ts';

/** The system fields that v1alpha1 has. */
const SYSTEM_FIELDS = ['manufacturer', 'productName', 'version', 'serialNumber', 'skuNumber', 'family'];

/** What v1alpha1 says about one machine's hardware. */
export interface OldHardware {
  readonly system?: JsonObject | undefined;
  readonly cpu?: JsonObject | undefined;
}

/** Say hardware in v1alpha1: system without its UUID, and the first processor. */
export function hardwareDown(hardware: Json | undefined): OldHardware {
  if (!isJsonObject(hardware)) return {};
  const { system, compute } = hardware;
  const processors = asList(asObject(compute)['processors']);
  const first = asObject(processors[0]);
  return {
    system: isJsonObject(system) ? only(system, SYSTEM_FIELDS) : undefined,
    cpu:
      processors.length > 0
        ? compact({ manufacturer: first['manufacturer'], version: first['productName'] })
        : undefined,
  };
}

/**
 * Say v1alpha1 hardware in v1alpha2. With `stored`, its further fields stay and only what differs from
 * `hardwareDown(stored)` is changed.
 */
export function hardwareUp(now: OldHardware, stored: Json | undefined): Json | undefined {
  const before = hardwareDown(stored);
  const base = asObject(stored);
  const next = compact({
    ...base,
    system: jsonEqual(now.system, before.system) ? base['system'] : systemUp(now.system, base['system']),
    compute: jsonEqual(now.cpu, before.cpu) ? base['compute'] : computeUp(now.cpu, base['compute']),
  });
  return Object.keys(next).length === 0 && stored === undefined ? undefined : next;
}

function systemUp(now: JsonObject | undefined, stored: Json | undefined): JsonObject | undefined {
  const rest = without(asObject(stored), SYSTEM_FIELDS);
  if (now !== undefined) return { ...rest, ...only(now, SYSTEM_FIELDS) };
  return Object.keys(rest).length > 0 ? rest : undefined;
}

function computeUp(cpu: JsonObject | undefined, stored: Json | undefined): JsonObject | undefined {
  const compute = asObject(stored);
  const [first, ...others] = asList(compute['processors']);
  const rest = without(asObject(first), ['manufacturer', 'productName']);
  if (cpu !== undefined) {
    const merged = compact({ ...rest, manufacturer: cpu['manufacturer'], productName: cpu['version'] });
    return { ...compute, processors: [merged, ...others] };
  }
  if (others.length > 0 || Object.keys(rest).length > 0) return { ...compute, processors: [rest, ...others] };
  const kept = without(compute, ['processors']);
  return Object.keys(kept).length > 0 ? kept : undefined;
}
