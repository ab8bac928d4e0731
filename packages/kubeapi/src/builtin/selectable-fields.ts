import type { JsonObject } from '@bloomery/model';
import { objectAt, valueAt } from '../json-parts.ts';
import { eventSource } from './event-rules.ts';

/**
 * What field selectors see of an object of a built-in kind: the object, with the fields that kube-apiserver selects by and
 * that are no plain fields, or that are told when they are not set.
 */
export function selectableView(object: JsonObject): JsonObject {
  switch (`${String(object['apiVersion'])} ${String(object['kind'])}`) {
    case 'v1 Event':
      return { ...object, source: eventSource(object) };
    case 'v1 Node':
      return withSpec(object, { unschedulable: valueAt(object, 'spec', 'unschedulable') === true });
    case 'v1 Pod':
      return withSpec(object, { hostNetwork: valueAt(object, 'spec', 'hostNetwork') === true });
    case 'batch/v1 Job':
      return { ...object, status: { successful: valueAt(object, 'status', 'succeeded') ?? 0 } };
    default:
      return object;
  }
}

function withSpec(object: JsonObject, members: JsonObject): JsonObject {
  return { ...object, spec: { ...objectAt(object, 'spec'), ...members } };
}
