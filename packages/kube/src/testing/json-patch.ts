import type { Json, JsonObject } from '@bloomery/model';
import { isJsonObject } from '@bloomery/model';
import { apiError } from '../api-error.ts';
import { jsonEqual } from '../merge-patch.ts';

function refuse(message: string): Error {
  return apiError({ code: 422, reason: 'Invalid', message });
}

function withValue(target: Json | undefined, path: readonly string[], op: string, value: Json | undefined): Json {
  const [head, ...rest] = path;
  if (head === undefined) return value ?? null;
  if (Array.isArray(target)) {
    const list: Json[] = [...target];
    const index = head === '-' ? list.length : Number(head);
    const last = op === 'add' && rest.length === 0 ? list.length : list.length - 1;
    if (!Number.isInteger(index) || index < 0 || index > last) throw refuse(`no element ${head}`);
    if (rest.length > 0) list[index] = withValue(list[index], rest, op, value);
    else if (op === 'remove') list.splice(index, 1);
    else list.splice(index, op === 'add' ? 0 : 1, value ?? null);
    return list;
  }
  if (!isJsonObject(target)) throw refuse(`no value at ${head}`);
  if ((rest.length > 0 || op !== 'add') && target[head] === undefined) throw refuse(`no value at ${head}`);
  const { [head]: have, ...others } = target;
  if (rest.length === 0 && op === 'remove') return others;
  return { ...target, [head]: rest.length === 0 ? (value ?? null) : withValue(have, rest, op, value) };
}

/** `add`, `replace`, `remove` and `test` of RFC 6902, for the in-memory client. Inputs are not changed. */
export function jsonPatch(target: JsonObject, operations: readonly JsonObject[]): Json {
  let result: Json = target;
  for (const operation of operations) {
    const op = String(operation['op']);
    const path = String(operation['path']).split('/').slice(1);
    const names = path.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (op === 'test') {
      let have: Json | undefined = result;
      for (const name of names) {
        have = Array.isArray(have) ? have[Number(name)] : isJsonObject(have) ? have[name] : undefined;
      }
      if (!jsonEqual(have, operation['value'])) throw refuse(`testing value ${String(operation['path'])} failed`);
    } else result = withValue(result, names, op, operation['value']);
  }
  return result;
}
