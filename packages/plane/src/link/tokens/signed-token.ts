import { createHmac, timingSafeEqual } from 'node:crypto';
import { isJsonObject, type Json } from '@bloomery/model';

/**
 * Whether a `v1:` or `v2:` token text, as Omni writes them, was signed with a plain token: base64 of JSON
 * `{"extra_data":{…},"signature":"…"}`, signed with HMAC-SHA256 over the JSON of the extra data with sorted keys. What the
 * extra data says is not used. Any text is answered, none throws.
 *
 * @see spec/siderolink.md section 5
 */
export function isSignedToken(text: string, plain: string): boolean {
  const found = /^v[12]:([A-Za-z0-9+/=]{1,4096})$/.exec(text);
  if (found === null) return false;
  let content: Json;
  try {
    content = JSON.parse(Buffer.from(found[1] ?? '', 'base64').toString('utf8'));
  } catch {
    return false;
  }
  if (!isJsonObject(content)) return false;
  const { extra_data: extra = null, signature } = content;
  if (typeof signature !== 'string' || !(extra === null || isFlat(extra))) return false;
  const data = extra === null ? 'null' : JSON.stringify(extra, Object.keys(extra).toSorted());
  const wanted = createHmac('sha256', plain).update(data).digest();
  const given = Buffer.from(signature, 'base64');
  return given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted);
}

/** The extra data is a map of texts; anything else was not written by Omni. */
function isFlat(value: Json): value is { readonly [key: string]: string } {
  return isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string');
}
