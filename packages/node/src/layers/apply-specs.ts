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
  /** Make the host as the spec says; nothing when it is. What it returns is what the spec still lacks: shown as its problem. */
  readonly bringAbout: (spec: S) => ReturnType<Parameters<Attempts<S>['run']>[2]>;
  /** Undo it; nothing when it is gone. */
  readonly takeAway: (spec: S) => Promise<void> | void;
}

/**
 * One pass over the merged specs of a concept: first those that go, so that they are not in the way, then those that stay. A finalizer
 * is held on each from before it is brought about until it is taken away. A refusal stops none of the others.
 */
export async function applySpecs<S>(context: ReconcileContext, options: ApplySpecs<S>): Promise<void> {
  const { definition, attempts, problems, waitsFor, bringAbout, takeAway } = options;
  const all = context.list(definition);
  const isRunning = ({ metadata }: Resource<S>): boolean => metadata.phase === 'running';
  for (const resource of all) if (isRunning(resource)) context.hold(definition, resource.metadata.id);

  for (const resource of all) {
    if (isRunning(resource)) continue;
    if (context.signal.aborted) return;
    const isGone = await attempts.run(context, resource, () => takeAway(resource.spec));
    if (!isGone) continue;
    problems.set(resource.metadata.id, undefined);
    context.release(definition, resource.metadata.id);
  }
  for (const resource of all) {
    if (!isRunning(resource)) continue;
    if (context.signal.aborted) return;
    const waiting = waitsFor(resource.spec);
    if (waiting !== undefined) problems.set(resource.metadata.id, waiting);
    else await attempts.run(context, resource, () => bringAbout(resource.spec));
  }
}
