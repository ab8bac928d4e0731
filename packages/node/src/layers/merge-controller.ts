import type { Controller, ReconcileContext, Resource, ResourceDefinition } from '@bloomery/cosi';
import { LAYERED } from '../resources/machine-config.ts';
import { layerRank } from './config-layer.ts';
import { type Problems, problemAnnotations } from './problems.ts';

/** A spec that says which layer it comes from. */
export interface LayeredSpec {
  readonly layer: string;
}

export interface MergeOptions<S extends LayeredSpec> {
  /** As upstream names it: `network.LinkMergeController`. */
  readonly name: string;
  readonly definition: ResourceDefinition<S>;
  /** Under which id the merged spec stands. Specs of all layers with the same id become one. */
  readonly idOf: (spec: S) => string;
  /**
   * Of specs with the same id, at least one, lowest layer first, then in the order of their layered ids; undefined: they come to
   * nothing. The last wins unless given.
   */
  readonly merge?: (specs: readonly S[]) => S | undefined;
  /** Shown as annotations of the merged specs. */
  readonly problems?: Problems;
}

/**
 * Specs of all layers (namespace `network-config`) become one for each id (the definition's own namespace). It holds a finalizer on
 * each of them until the merged spec no longer needs it. A merged spec that somebody still holds while it goes is made anew when it is
 * gone: its holders undo the one, then do the other.
 */
export function mergeController<S extends LayeredSpec>(options: MergeOptions<S>): Controller {
  const { name, definition, problems } = options;
  return {
    name,
    inputs: [
      { definition, namespace: LAYERED, kind: 'strong' },
      { definition, kind: 'destroyReady' },
    ],
    outputs: [{ definition, kind: 'shared' }],
    ...(problems === undefined ? {} : { wakes: [problems] }),
    reconcile: (context) => mergeOnce(context, options),
  };
}

function mergeOnce<S extends LayeredSpec>(context: ReconcileContext, options: MergeOptions<S>): void {
  const { definition, idOf, problems } = options;
  const merge = options.merge ?? ((specs: readonly S[]) => specs.at(-1) as S);
  const all = context.list(definition, { namespace: LAYERED });
  const [running, leaving] = partition(all);
  for (const { metadata } of running) context.hold(definition, metadata.id, { namespace: LAYERED });

  const outputs = context.outputs(definition);
  for (const [id, specs] of groupBySpecId(running, idOf)) {
    const merged = merge(specs);
    if (merged !== undefined) outputs.put(id, merged, { annotations: problemAnnotations(problems?.of(id)) });
  }
  outputs.finish();
  for (const { metadata } of leaving) context.release(definition, metadata.id, { namespace: LAYERED });
}

function partition<S>(all: readonly Resource<S>[]): readonly [running: Resource<S>[], leaving: Resource<S>[]] {
  const running: Resource<S>[] = [];
  const leaving: Resource<S>[] = [];
  for (const resource of all) (resource.metadata.phase === 'running' ? running : leaving).push(resource);
  return [running, leaving];
}

function groupBySpecId<S extends LayeredSpec>(
  running: readonly Resource<S>[],
  idOf: (spec: S) => string,
): ReadonlyMap<string, readonly S[]> {
  const byLayer = running.map(({ spec }) => spec).toSorted((a, b) => layerRank(a) - layerRank(b));
  return Map.groupBy(byLayer, idOf);
}
