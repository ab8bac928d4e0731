import { cosiProto } from '@bloomery/wire';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Resource } from '../resource.ts';
import type { ResourceDefinition } from '../resource-definition.ts';

/** A resource as clients receive it, its spec in both forms. */
export function resourceMessage(definition: ResourceDefinition, { metadata, spec }: Resource): cosiProto.Resource {
  const { version, createdMs, updatedMs, ...same } = metadata;
  return create(cosiProto.ResourceSchema, {
    metadata: {
      ...same,
      finalizers: [...metadata.finalizers],
      version: String(version),
      created: timestampFromMs(createdMs),
      updated: timestampFromMs(updatedMs),
    },
    spec: { protoSpec: definition.codec.toProtobuf(spec), yamlSpec: definition.codec.toYaml(spec) },
  });
}

/** What stands for a resource that is not there. Its spec is empty: clients refuse one that is missing. */
export function tombstone({ type }: ResourceDefinition, namespace: string, id: string): cosiProto.Resource {
  return create(cosiProto.ResourceSchema, {
    metadata: { namespace, type, id, version: 'undefined', phase: 'running' },
    spec: {},
  });
}
