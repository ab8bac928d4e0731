import type { LinkAnnotation } from '../annotations.ts';
import { decodeObject } from './decode-object.ts';
import { byBytes, encodeGoJson, encodeGoString } from './encode-object.ts';
import { type Member, plainLine } from './plain-line.ts';

/** What makes the lines of one machine. */
export interface LineWriter {
  /** The line of a JSON object, without newline; undefined when Go could not read the object either. */
  lineOf(object: Buffer): string | undefined;
  /** The same for a line that may be something else; undefined when only `lineOf` can tell. */
  lineOfPlain(bytes: Buffer, from: number, to: number): string | undefined;
}

/**
 * Make the writer of lines as the upstream `serverlogs` container prints them: the object with the annotation, which replaces what
 * has the same name, so that a machine cannot pretend to be another.
 *
 * @see spec/siderolink.md section 8
 */
export function createLineWriter(annotation: LinkAnnotation | undefined): LineWriter {
  const given = Object.entries(annotation ?? {}).filter(([, value]) => value !== '' && value !== undefined);
  const added = Object.fromEntries(given);
  const members: readonly Member[] = given
    .sort(([a], [b]) => byBytes(a, b))
    .map(([key, value]) => ({ key, text: `${encodeGoString(key)}:${encodeGoString(String(value))}` }));
  return {
    lineOf(object) {
      const decoded = decodeObject(object);
      return decoded === undefined ? undefined : encodeGoJson({ ...decoded, ...added });
    },
    lineOfPlain: (bytes, from, to) => plainLine(bytes, from, to, members),
  };
}
