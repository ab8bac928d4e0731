import type { SpecCodec } from '../resource-definition.ts';
import { equalValue } from './equal-value.ts';
import type { Fields, SpecOfFields } from './field.ts';
import { specToProtobuf } from './protobuf-form.ts';
import { specToYaml } from './yaml-form.ts';

/** How specs of a table of fields are compared, and their YAML and protobuf forms. */
export function tableCodec<F extends Fields>(fields: F): SpecCodec<SpecOfFields<F>> {
  return {
    equal: equalValue,
    toYaml: (spec) => specToYaml(fields, spec),
    toProtobuf: (spec) => specToProtobuf(fields, spec),
  };
}
