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
  const delta = new Delta(status);
  return {
    name,
    inputs: status.inputs ?? [],
    outputs: [{ definition, kind: 'exclusive' }],
    wakes: [
      {
        listen: (wake) =>
          kernel.listen((change) => {
            if (delta.note(change)) wake();
          }),
      },
    ],
    reconcile: (context) => delta.show(context),
  };
}

/** What is shown, and what of it is to be looked at again. */
class Delta<S> {
  readonly #status: DeltaStatus<S>;
  #isAll = true;
  #touched = new Set<string>();
  /** What the last pass could not show: looked at in the next one. */
  #failed = new Set<string>();
  readonly #ids = new Map<string, string>();
  readonly #keysOfId = new Map<string, Set<string>>();

  constructor(status: DeltaStatus<S>) {
    this.#status = status;
  }

  /** @returns whether a pass is needed that is not due already: wake-ups are few, and the last message must not wait for one */
  note(change: KernelChange): boolean {
    let isNews = change.of === 'all' && !this.#isAll;
    this.#isAll ||= change.of === 'all';
    for (const key of this.#status.touchedBy(change, this.#status.kernel.view)) {
      isNews ||= !this.#touched.has(key);
      this.#touched.add(key);
    }
    return isNews;
  }

  /** One pass. @throws BloomeryError BLM_KERNEL_REFUSED when not all could be shown */
  async show(context: ReconcileContext): Promise<void> {
    this.#touchWhatElse(context);
    const problems = new Set<string>();
    while (this.#touched.size > 0 && !context.signal.aborted) {
      const keys = this.#touched;
      this.#touched = new Set();
      for (const key of keys) {
        if (context.signal.aborted) break;
        try {
          await this.#refresh(context, key);
        } catch (error) {
          this.#failed.add(key);
          problems.add(errorText(error));
        }
      }
    }
    if (problems.size > 0) throw new BloomeryError('BLM_KERNEL_REFUSED', [...problems].join('; '), { retryable: true });
  }

  /** What no message was about. */
  #touchWhatElse(context: ReconcileContext): void {
    const { all, touchedByInputs, kernel } = this.#status;
    const further = [touchedByInputs?.(context, kernel.view) ?? [], this.#failed];
    if (this.#isAll) further.push(this.#ids.keys(), all(kernel.view));
    for (const keys of further) for (const key of keys) this.#touched.add(key);
    this.#isAll = false;
    this.#failed = new Set();
  }

  async #refresh(context: ReconcileContext, key: string): Promise<void> {
    const { definition, kernel } = this.#status;
    const shown = await this.#status.show(key, kernel.view);
    if (shown === undefined || shown.id !== this.#ids.get(key)) this.#unlink(context, key);
    if (shown === undefined) return;
    this.#ids.set(key, shown.id);
    const keys = this.#keysOfId.get(shown.id) ?? new Set();
    this.#keysOfId.set(shown.id, keys.add(key));
    context.put(definition, shown.id, shown.spec);
  }

  /** Take the object off its id. */
  #unlink(context: ReconcileContext, key: string): void {
    const id = this.#ids.get(key);
    if (id === undefined) return;
    this.#ids.delete(key);
    const others = this.#keysOfId.get(id);
    others?.delete(key);
    const other = [...(others ?? [])].at(-1);
    if (other === undefined) {
      this.#keysOfId.delete(id);
      context.remove(this.#status.definition, id);
    } else this.#touched.add(other);
  }
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
