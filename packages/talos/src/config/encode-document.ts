import { entriesOf, field, isYamlList, isYamlMap, type YamlTree } from '../yaml/index.ts';
import { zeroText } from './custom-scalar.ts';
import { fieldsOf, type Shape } from './type-table.ts';

/**
 * The full form of a decoded value, as Talos encodes it: fields in order, `omitempty` ones left out when zero, others
 * written with their zero value.
 */
export function encodeShape(shape: Shape, value: YamlTree | undefined): YamlTree {
  switch (shape.is) {
    case 'pointer':
      return value === undefined || value === null ? null : encodeShape(shape.of, value);
    case 'scalar':
      return value ?? (shape.of === 'string' ? '' : shape.of === 'bool' ? false : shape.of === 'duration' ? '0s' : 0);
    case 'custom':
      return value ?? (shape.name === 'v1alpha1.FileMode' ? 0 : zeroText(shape.name));
    case 'struct':
      return encodeStruct(shape.name, value);
    case 'list':
      return isYamlList(value) ? value.map((item) => encodeShape(shape.of, item)) : [];
    case 'map':
      return encodeMap(shape.of, value);
    case 'free':
      return value ?? (shape.object ? {} : null);
  }
}

function encodeStruct(name: string, value: YamlTree | undefined): YamlTree {
  const map = isYamlMap(value) ? value : {};
  const entries: [string, YamlTree][] = [];
  for (const { name: key, shape, omitEmpty } of fieldsOf(name)) {
    const own = field(map, key);
    if (omitEmpty && isZero(shape, own)) continue;
    entries.push([key, encodeShape(shape, own)]);
  }
  return Object.fromEntries(entries);
}

function encodeMap(of: Shape, value: YamlTree | undefined): YamlTree {
  if (!isYamlMap(value)) return {};
  return Object.fromEntries(entriesOf(value).map(([key, item]) => [key, item === null ? null : encodeShape(of, item)]));
}

/** Whether Go's encoder leaves the value out under `omitempty`. */
function isZero(shape: Shape, value: YamlTree | undefined): boolean {
  if (value === undefined || value === null) return true;
  switch (shape.is) {
    case 'pointer':
      return false;
    case 'struct':
      // Talos asks the section itself here: without provider and keys it counts as absent, whatever else it holds.
      if (shape.name === 'block.EncryptionSpec' && isYamlMap(value)) {
        return fieldsOf(shape.name).every(
          (f) => !['provider', 'keys'].includes(f.name) || isZero(f.shape, field(value, f.name)),
        );
      }
      return isYamlMap(value) && fieldsOf(shape.name).every((f) => isZero(f.shape, field(value, f.name)));
    case 'list':
      return isYamlList(value) && value.length === 0;
    case 'map':
    case 'free':
      return isYamlMap(value) && entriesOf(value).length === 0;
    default:
      return value === '' || value === 0 || value === false || value === '0s';
  }
}
