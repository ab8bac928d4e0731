import type { Controller, Input, Output, ReconcileContext } from './controller.ts';
import type { Resource } from './resource.ts';
import type { ResourceDefinition } from './resource-definition.ts';
import type { InNamespace } from './state.ts';

/** One side of a transformation. */
export interface TransformSide<S> extends InNamespace {
  readonly definition: ResourceDefinition<S>;
}

export interface Transform<I, O> {
  readonly name: string;
  readonly input: TransformSide<I> & { readonly id?: string };
  readonly output: TransformSide<O> & { readonly kind?: Output['kind'] };
  /** What is read beside the input. */
  readonly alsoReads?: readonly Input[];
  /** Id of the output of an input; its own unless given. */
  readonly outputId?: (inputId: string) => string;
  /** The output of an input; undefined when it has none at present. */
  readonly map: (input: Resource<I>, context: ReconcileContext) => O | undefined;
}

/**
 * A controller that makes one output of each input. An input that is torn down stays until its output is gone: it is held by a
 * finalizer as long as there is one.
 */
export function transformController<I, O>(transform: Transform<I, O>): Controller {
  const { name, input, output, alsoReads = [], outputId = (id: string) => id, map } = transform;
  const from = input.namespace === undefined ? {} : { namespace: input.namespace };
  const to = output.namespace === undefined ? {} : { namespace: output.namespace };
  return {
    name,
    inputs: [
      { definition: input.definition, ...from, ...(input.id === undefined ? {} : { id: input.id }), kind: 'strong' },
      ...alsoReads,
    ],
    outputs: [{ definition: output.definition, kind: output.kind ?? 'exclusive' }],
    reconcile: (context) => {
      const inputs = input.id === undefined ? context.list(input.definition, from) : one(context, transform);
      const outputs = context.outputs(output.definition, to);
      for (const resource of inputs) {
        const { id, phase } = resource.metadata;
        if (phase !== 'running') continue;
        const spec = map(resource, context);
        if (spec === undefined) continue;
        context.hold(input.definition, id, from);
        outputs.put(outputId(id), spec);
      }
      outputs.finish();
      for (const { metadata } of inputs) {
        const isHeld = metadata.finalizers.includes(name);
        if (isHeld && context.get(output.definition, outputId(metadata.id), to) === undefined)
          context.release(input.definition, metadata.id, from);
      }
    },
  };
}

function one<I, O>(context: ReconcileContext, { input }: Transform<I, O>): readonly Resource<I>[] {
  const found = input.id === undefined ? undefined : context.get(input.definition, input.id, input);
  return found === undefined ? [] : [found];
}
