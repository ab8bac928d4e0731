import type { Json, JsonObject, MachineTemplate, ObjectReference } from '@bloomery/model';
import { fnv1a32, isJsonObject } from '@bloomery/model';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * What of a template makes other machines: all but labels, annotations, readiness gates and time spans, which are brought to
 * the Machines that are there. References count by group, kind and name.
 */
export function rolloutFields(template: MachineTemplate | undefined): JsonObject {
  const { bootstrap, infrastructureRef, version, failureDomain, providerID } = template?.spec ?? {};
  return withoutUndefined({
    version,
    failureDomain,
    providerID,
    infrastructureRef: referenceFields(infrastructureRef),
    configRef: referenceFields(bootstrap?.configRef),
    dataSecretName: bootstrap?.dataSecretName,
  });
}

function referenceFields(ref: ObjectReference | undefined): JsonObject | undefined {
  if (ref === undefined) return undefined;
  return withoutUndefined({ group: ref.apiVersion?.split('/')[0], kind: ref.kind, name: ref.name });
}

/**
 * A short text for a template, the same for equal ones in any order of their fields: seven letters and digits of 32 bits.
 * `collision` gives another text for the same template.
 */
export function templateHash(template: MachineTemplate | undefined, collision: number): string {
  let rest = fnv1a32(`${collision}:${canonical(rolloutFields(template))}`);
  let text = '';
  for (let i = 0; i < 7; i++) {
    text += ALPHABET[rest % ALPHABET.length];
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** JSON with the members of objects in order of their names. */
function canonical(value: Json | undefined): string {
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

function withoutUndefined(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
