import type { Controller, Input, ReconcileContext, ResourceDefinition } from '@bloomery/cosi';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { Kernel, KernelChange, KernelView } from '../kernel.ts';

/** A resource that shows an object of the kernel. */
export interface Shown<S> {
  readonly id: string;
  readonly spec: S;
}

/** How objects of the kernel become resources. */
export interface DeltaStatus<S> {
  /** As upstream names the controller. */
  readonly name: string;
  readonly definition: ResourceDefinition<S>;
  readonly kernel: Kernel;
  /** Keys of all objects that are there. */
  readonly all: (view: KernelView) => Iterable<string>;
  /** Keys of the objects that a change is about. */
  readonly touchedBy: (change: KernelChange, view: KernelView) => Iterable<string>;
  /** undefined: it is not there, or is not shown. */
  readonly show: (key: string, view: KernelView) => Promise<Shown<S> | undefined> | Shown<S> | undefined;
  /** Resources that wake it, too, and the objects that are looked at again then. */
  readonly inputs?: readonly Input[];
  readonly touchedByInputs?: (context: ReconcileContext, view: KernelView) => Iterable<string>;
}

/**
 * A controller that keeps resources like objects of the kernel, and looks only at what the kernel's messages are about. When two
 * objects have the same id, the one that was told last is shown.
 */
export function deltaController<S>(status: DeltaStatus<S>): Controller {
  const { name, definition, kernel } = status;
  let isAll = true;
  let touched = new Set<string>();
  /** What the last pass could not show: looked at in the next one. */
  let failed = new Set<string>();
  const ids = new Map<string, string>();
  const keysOfId = new Map<string, Set<string>>();

  /** @returns whether a pass is needed that is not due already: wake-ups are few, and the last message must not wait for one */
  const note = (change: KernelChange): boolean => {
    let isNews = change.of === 'all' && !isAll;
    isAll ||= change.of === 'all';
    for (const key of status.touchedBy(change, kernel.view)) {
      isNews ||= !touched.has(key);
      touched.add(key);
    }
    return isNews;
  };
  /** Take the object off its id. */
  const unlink = (context: ReconcileContext, key: string): void => {
    const id = ids.get(key);
    if (id === undefined) return;
    ids.delete(key);
    const others = keysOfId.get(id);
    others?.delete(key);
    const other = [...(others ?? [])].at(-1);
    if (other === undefined) {
      keysOfId.delete(id);
      context.remove(definition, id);
    } else touched.add(other);
  };
  const refresh = async (context: ReconcileContext, key: string): Promise<void> => {
    const shown = await status.show(key, kernel.view);
    if (shown === undefined || shown.id !== ids.get(key)) unlink(context, key);
    if (shown === undefined) return;
    ids.set(key, shown.id);
    const keys = keysOfId.get(shown.id) ?? new Set();
    keysOfId.set(shown.id, keys.add(key));
    context.put(definition, shown.id, shown.spec);
  };
  const reconcile = async (context: ReconcileContext): Promise<void> => {
    for (const key of status.touchedByInputs?.(context, kernel.view) ?? []) touched.add(key);
    if (isAll) for (const key of [...ids.keys(), ...status.all(kernel.view)]) touched.add(key);
    isAll = false;
    for (const key of failed) touched.add(key);
    failed = new Set();
    const problems: string[] = [];
    while (touched.size > 0 && !context.signal.aborted) {
      const keys = touched;
      touched = new Set();
      for (const key of keys) {
        if (context.signal.aborted) break;
        try {
          await refresh(context, key);
        } catch (error) {
          failed.add(key);
          problems.push(errorText(error));
        }
      }
    }
    if (problems.length > 0)
      throw new BloomeryError('BLM_KERNEL_REFUSED', [...new Set(problems)].join('; '), { retryable: true });
  };
  return {
    name,
    inputs: status.inputs ?? [],
    outputs: [{ definition, kind: 'exclusive' }],
    wakes: [
      {
        listen: (wake) =>
          kernel.listen((change) => {
            if (note(change)) wake();
          }),
      },
    ],
    reconcile,
  };
}

/** Remembers the names of links, to know when one differs: ids of addresses and routes hold it. */
export function createNameWatch(view: KernelView): (change: KernelChange) => number | undefined {
  const namesNow = (): Map<number, string> => new Map([...view.links.values()].map(({ index, name }) => [index, name]));
  let names = namesNow();
  return (change) => {
    if (change.of === 'all') names = namesNow();
    if (change.of !== 'link') return undefined;
    const { index, name } = change.link;
    if (change.gone) {
      names.delete(index);
      return undefined;
    }
    const old = names.get(index);
    names.set(index, name);
    // Nothing is on a new link yet: with many routes it would be dear to look.
    return old === undefined || old === name ? undefined : index;
  };
}
