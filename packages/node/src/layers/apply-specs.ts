import type { ReconcileContext, Resource, ResourceDefinition } from '@bloomery/cosi';
import type { Attempts } from './attempts.ts';
import type { Problems } from './problems.ts';

/** How specs of one concept come about and go. */
export interface ApplySpecs<S> {
  readonly definition: ResourceDefinition<S>;
  readonly attempts: Attempts<S>;
  readonly problems: Problems;
  /** What it waits for; undefined: it can be brought about now. Shown as its problem; nothing is tried. */
  readonly waitsFor: (spec: S) => string | undefined;
  /**
   * Make the host as the spec says; nothing when it is. What it returns is what the spec still lacks: shown as its problem.
   *
   * @param staying all specs that do not go
   */
  readonly bringAbout: (spec: S, staying: readonly S[]) => ReturnType<Parameters<Attempts<S>['run']>[2]>;
  /** Undo it; nothing when it is gone, or when one that stays has made it its own. */
  readonly takeAway: (spec: S, staying: readonly S[]) => Promise<void> | void;
  /** Which of those that go must be gone before those that stay can be brought about; none unless given. */
  readonly inTheWay?: (leaving: readonly S[], staying: readonly S[]) => ReadonlySet<S>;
}

/**
 * One pass over the merged specs of a concept: those that stay are brought about before those that go are taken away, so that there is no
 * moment with neither; only what is in the way goes first. A finalizer is held on each from before it is brought about until it is taken
 * away. A refusal stops none of the others.
 */
export async function applySpecs<S>(context: ReconcileContext, options: ApplySpecs<S>): Promise<void> {
  const { definition, attempts, problems, waitsFor, bringAbout, takeAway, inTheWay } = options;
  const all = context.list(definition);
  const running = all.filter(({ metadata }) => metadata.phase === 'running');
  const leaving = all.filter(({ metadata }) => metadata.phase !== 'running');
  const staying = running.map(({ spec }) => spec);
  for (const { metadata } of running) context.hold(definition, metadata.id);

  const make = async (resource: Resource<S>): Promise<void> => {
    const waiting = waitsFor(resource.spec);
    if (waiting !== undefined) problems.set(resource.metadata.id, waiting);
    else await attempts.run(context, resource, () => bringAbout(resource.spec, staying));
  };
  const undo = async (resource: Resource<S>): Promise<void> => {
    const isGone = await attempts.run(context, resource, () => takeAway(resource.spec, staying));
    if (!isGone) return;
    problems.set(resource.metadata.id, undefined);
    context.release(definition, resource.metadata.id);
  };
  const leavingSpecs = leaving.map(({ spec }) => spec);
  const first = inTheWay?.(leavingSpecs, staying) ?? new Set();
  const steps = [
    ...leaving.filter(({ spec }) => first.has(spec)).map((resource) => () => undo(resource)),
    ...running.map((resource) => () => make(resource)),
    ...leaving.filter(({ spec }) => !first.has(spec)).map((resource) => () => undo(resource)),
  ];
  for (const step of steps) {
    if (context.signal.aborted) return;
    await step();
  }
}
