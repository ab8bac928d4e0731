import type { ReconcileContext, Resource, ResourceDefinition } from '@bloomery/cosi';
import { backOffMs, errorText, fraction, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import type { Problems } from './problems.ts';

const BACK_OFF = { firstMs: 1_000, maxMs: 60_000 } as const;

/**
 * Bringing specs about one by one: what is refused is logged and shown as the spec's problem, and tried again after a growing time or
 * as soon as the spec differs. It never stops the others.
 */
export interface Attempts<S> {
  /**
   * Try `act` unless this spec failed a moment ago; then a later pass is asked for. What `act` returns is what the spec still waits
   * for, beside what it has done: shown as its problem.
   *
   * @returns whether nothing was refused
   */
  run(context: ReconcileContext, resource: Resource<S>, act: () => Attempt | Promise<Attempt>): Promise<boolean>;
  /**
   * What has failed is tried again in the next pass, whenever it failed: something that it may need has changed.
   *
   * @param butUndone not what is undone again and again: what has changed may be just that
   */
  hasten(butUndone?: boolean): void;
}

// biome-ignore lint/suspicious/noConfusingVoidType: most attempts wait for nothing and say so by returning nothing
type Attempt = string | undefined | void;

export interface AttemptsOptions<S> {
  readonly definition: ResourceDefinition<S>;
  readonly problems: Problems;
  readonly random: RandomBytes;
}

interface Failure<S> {
  readonly resource: Resource<S>;
  readonly times: number;
  readonly againMs: number;
  readonly text: string;
  readonly isUndone: boolean;
}

/** Remembers failures only, and each until its spec succeeds: bounded by the number of specs. */
export function createAttempts<S>({ definition, problems, random }: AttemptsOptions<S>): Attempts<S> {
  const failures = new Map<string, Failure<S>>();
  const isSame = (a: Resource<S>, b: Resource<S>): boolean =>
    a.metadata.phase === b.metadata.phase && definition.codec.equal(a.spec, b.spec);

  const failed = (context: ReconcileContext, resource: Resource<S>, last: Failure<S> | undefined, error: unknown) => {
    const { id } = resource.metadata;
    const times = (last?.times ?? 0) + 1;
    const delayMs = backOffMs(times, BACK_OFF, () => fraction(random));
    const text = errorText(error);
    const isUndone = isBloomeryError(error) && error.code === 'BLM_NODE_UNDONE';
    failures.set(id, { resource, times, againMs: context.clock.nowMs() + delayMs, text, isUndone });
    problems.set(id, text);
    const level = last?.text === text ? 'debug' : 'warn';
    context.log[level]('spec.refused', { type: definition.type, id, problem: text, times, delayMs });
    context.wakeAfter(delayMs);
  };

  return {
    run: async (context, resource, act) => {
      const { id } = resource.metadata;
      const known = failures.get(id);
      const last = known !== undefined && isSame(known.resource, resource) ? known : undefined;
      const waitMs = (last?.againMs ?? 0) - context.clock.nowMs();
      if (last !== undefined && waitMs > 0) {
        context.wakeAfter(waitMs);
        return false;
      }
      let waiting: Attempt;
      try {
        waiting = await act();
      } catch (error) {
        failed(context, resource, last, error);
        return false;
      }
      if (known !== undefined) context.log.info('spec.accepted', { type: definition.type, id });
      failures.delete(id);
      problems.set(id, waiting ?? undefined);
      return true;
    },
    hasten: (butUndone = false) => {
      for (const [id, failure] of failures)
        if (!(butUndone && failure.isUndone)) failures.set(id, { ...failure, againMs: 0 });
    },
  };
}
