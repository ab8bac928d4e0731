import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import { sharedFieldsOfText } from './shared-fields.ts';

const MEMBER = '"fieldsV1":';

/**
 * Parse the JSON text of a stored object. The FieldsV1 of its managedFields are half of most objects and equal in thousands of them:
 * they are taken from those that are shared, without being parsed again.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function readStored(text: string): Json {
  const fields: JsonObject[] = [];
  const rest = withoutFields(text, fields);
  if (rest === undefined) return parseJson(text);
  const object = parseJson(rest);
  return putBack(object, fields) ? object : parseJson(text);
}

/** The text with a number in the place of each FieldsV1; undefined when there is nothing to gain. */
function withoutFields(text: string, fields: JsonObject[]): string | undefined {
  let rest = '';
  let done = 0;
  // Within a string every quote is escaped: what looks like this member is one.
  for (let at = text.indexOf(MEMBER); at >= 0; at = text.indexOf(MEMBER, done)) {
    const start = at + MEMBER.length;
    const found = sharedFieldsOfText(text, start);
    if (found === undefined) return undefined;
    rest += `${text.slice(done, start)}${fields.length}`;
    fields.push(found.fieldsV1);
    done = start + found.length;
  }
  return fields.length === 0 ? undefined : rest + text.slice(done);
}

/** Whether all of them stood in managedFields, and are there again. The object is fresh: it may still be changed. */
function putBack(object: Json, fields: readonly JsonObject[]): boolean {
  const metadata = isJsonObject(object) ? object['metadata'] : undefined;
  const entries = isJsonObject(metadata) ? metadata['managedFields'] : undefined;
  if (!Array.isArray(entries) || entries.length !== fields.length) return false;
  return entries.every((entry: Json, i) => {
    const own = fields[i];
    return isJsonObject(entry) && entry['fieldsV1'] === i && own !== undefined && Reflect.set(entry, 'fieldsV1', own);
  });
}
