import { asObject, CONVERSION_DATA } from '../../conversion-data.ts';
import type { JsonObject } from '../../json.ts';
import type { KindDefinition } from '../../kind.ts';
import { withReferenceNamespaces } from '../reference-namespaces.ts';

type Conversion = NonNullable<KindDefinition['convert']>;

/**
 * The conversion, checks and defaults of a version by those of the stored one: an object that is first written here is stored
 * with the stored version's defaults, and what that one refuses is refused.
 *
 * @param references Below spec, those that have a namespace in the stored version only.
 */
export function viaStorage(
  stored: Pick<KindDefinition, 'admit' | 'defaults'>,
  convert: Conversion,
  references: readonly (readonly string[])[],
): Required<Pick<KindDefinition, 'admit' | 'convert'>> {
  const toStorage = (object: JsonObject): JsonObject => {
    const isKnown = asObject(asObject(object['metadata'])['annotations'])[CONVERSION_DATA] !== undefined;
    const there = convert.toStorage(object);
    if (isKnown || there['spec'] === undefined) return there;
    return stored.defaults?.(there) ?? withReferenceNamespaces(there, references);
  };
  const whole = (object: JsonObject): JsonObject => {
    const there = toStorage(object);
    return stored.defaults?.(there) ?? there;
  };
  return {
    convert: { fromStorage: convert.fromStorage, toStorage },
    admit: (object, old) => stored.admit?.(whole(object), old && whole(old)) ?? { problems: [] },
  };
}
