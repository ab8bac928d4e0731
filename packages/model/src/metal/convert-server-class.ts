import { asList, asObject, compact, only, spokeConversion, unlessEdited, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { jsonEqual } from '../json-equal.ts';
import { isJsonObject } from '../kind.ts';
import { hardwareDown, hardwareUp } from './convert-hardware.ts';

/**
 * ServerClass v1alpha1 to and from v1alpha2, lossless (spec/metal.md §5). Upwards each systemInformation becomes a hardware
 * entry, then each cpu: what v1alpha1 meant as AND becomes OR, as upstream has it.
 */
export const convertServerClass = spokeConversion({
  hub: 'metal.sidero.dev/v1alpha2',
  spoke: 'metal.sidero.dev/v1alpha1',
  down: ({ spec, status }) => ({
    spec: {
      ...without(asObject(spec), ['strategicPatches']),
      qualifiers: qualifiersDown(asObject(spec?.['qualifiers'])),
      selector: asObject(spec?.['selector']),
    },
    status,
  }),
  up: ({ spec, status }, before) => {
    const now = asObject(spec);
    const stored = asObject(before?.hub.spec);
    const old = asObject(before?.spoke.spec);
    const qualifiers = asObject(now['qualifiers']);
    const untouched = before !== undefined && jsonEqual(qualifiers, old['qualifiers']);
    return {
      spec: compact({
        ...now,
        ...only(stored, ['strategicPatches']),
        selector: unlessEdited(asObject(now['selector']), before && old['selector'], stored['selector']),
        qualifiers: untouched ? stored['qualifiers'] : qualifiersUp(qualifiers, asObject(stored['qualifiers'])),
      }),
      status,
    };
  },
});

function qualifiersDown(qualifiers: JsonObject): JsonObject {
  const entries = asList(qualifiers['hardware']).map(hardwareDown);
  const systems = entries.flatMap(({ system }) => (system === undefined ? [] : [system]));
  const cpus = entries.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]));
  return compact({
    ...without(qualifiers, ['hardware']),
    systemInformation: systems.length > 0 ? systems : undefined,
    cpu: cpus.length > 0 ? cpus : undefined,
  });
}

function qualifiersUp(now: JsonObject, stored: JsonObject): JsonObject {
  const entries = asList(stored['hardware']);
  const old = qualifiersDown(stored);
  const systems = align(asList(old['systemInformation']), asList(now['systemInformation']));
  const cpus = align(asList(old['cpu']), asList(now['cpu']));
  let system = 0;
  let cpu = 0;
  const kept = entries.flatMap((entry) => {
    const was = hardwareDown(entry);
    const next = {
      system: was.system === undefined ? undefined : systems.kept[system++],
      cpu: was.cpu === undefined ? undefined : cpus.kept[cpu++],
    };
    const hadAny = was.system !== undefined || was.cpu !== undefined;
    if (hadAny && next.system === undefined && next.cpu === undefined) return [];
    return [withoutGone(hardwareUp(next, entry), next.system === undefined && was.system !== undefined)];
  });
  const hardware = [
    ...kept,
    ...systems.added.map((item) => ({ system: item })),
    ...cpus.added.map((item) => hardwareUp({ cpu: item }, undefined)),
  ].flatMap((item) => (item === undefined ? [] : [item]));
  const rest = without(now, ['cpu', 'systemInformation']);
  return compact({ ...rest, hardware: hardware.length > 0 ? hardware : undefined });
}

function withoutGone(entry: Json | undefined, systemGone: boolean): Json | undefined {
  return systemGone && isJsonObject(entry) ? without(entry, ['system']) : entry;
}

/**
 * Match an edited list with what it was: same length = item by item; otherwise equal items stay in order, the others
 * were taken out, and what is new stands in `added`.
 */
function align(
  before: readonly Json[],
  now: readonly Json[],
): { readonly kept: readonly (JsonObject | undefined)[]; readonly added: readonly JsonObject[] } {
  if (before.length === now.length) return { kept: now.map(asObject), added: [] };
  const added: JsonObject[] = [];
  const kept: (JsonObject | undefined)[] = before.map(() => undefined);
  let from = 0;
  for (const item of now) {
    const at = before.findIndex((was, i) => i >= from && jsonEqual(was, item));
    if (at < 0) {
      added.push(asObject(item));
    } else {
      kept[at] = asObject(item);
      from = at + 1;
    }
  }
  return { kept, added };
}
