import { type FieldProblem, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { changedAt, listAt, textAt } from '../json-parts.ts';
import { invalid, required } from '../schema/index.ts';

const CONTAINER_LISTS = ['initContainers', 'containers'] as const;
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** The object with what kube-apiserver fills into a pod's spec at this place, as far as it depends on other fields. */
export function withPodDefaults(object: JsonObject, at: readonly string[]): JsonObject {
  return changedAt(object, at, (spec) => {
    const changed: { [name: string]: Json | undefined } = { ...spec };
    for (const name of CONTAINER_LISTS) {
      if (Array.isArray(spec[name])) changed[name] = listAt(spec, name).map(withPullPolicy);
    }
    if (Array.isArray(spec['volumes'])) changed['volumes'] = listAt(spec, 'volumes').map(withSource);
    return changed;
  });
}

/** Defaults of a Pod itself: what templates do not have comes on top. */
export function withOwnPodDefaults(pod: JsonObject): JsonObject {
  return changedAt(withPodDefaults(pod, ['spec']), ['spec'], (spec) => ({ enableServiceLinks: true, ...spec }));
}

function withPullPolicy(container: Json): Json {
  if (!isJsonObject(container) || textAt(container, 'imagePullPolicy') !== '') return container;
  const image = textAt(container, 'image').split('/').at(-1) ?? '';
  const isLatest = !image.includes('@') && (!image.includes(':') || image.endsWith(':latest'));
  return { ...container, imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent' };
}

/** A volume without a source is an empty directory. */
function withSource(volume: Json): Json {
  if (!isJsonObject(volume) || Object.keys(volume).some((name) => name !== 'name')) return volume;
  return { ...volume, emptyDir: {} };
}

/** What no pod may lack: containers, with names of their own. `field` is where the spec is: `spec.template.spec`. */
export function podProblems(spec: Json | undefined, field: string): readonly FieldProblem[] {
  const containers = listAt(spec, 'containers');
  const seen = new Set<string>();
  const names = containers.flatMap((container, i): readonly FieldProblem[] => {
    const name = textAt(container, 'name');
    const at = `${field}.containers[${i}]`;
    if (name === '') return [required(`${at}.name`)];
    if (!LABEL.test(name) || name.length > 63) return [invalid(`${at}.name`, name, LABEL_TEXT)];
    const twice = seen.has(name);
    seen.add(name);
    const message = `Duplicate value: ${JSON.stringify(name)}`;
    return twice ? [{ field: `${at}.name`, reason: 'FieldValueDuplicate', message }] : [];
  });
  return [...(containers.length === 0 ? [required(`${field}.containers`)] : []), ...names];
}
