import type { WakeSource } from '@bloomery/cosi';

/** Annotation of a merged spec that could not be brought about: what was tried, and why it was refused. */
export const PROBLEM_ANNOTATION = 'bloomery.dev/problem';

/** The annotations of a merged spec: they replace those that it had. */
export const problemAnnotations = (problem: string | undefined): Readonly<Record<string, string>> =>
  problem === undefined ? {} : { [PROBLEM_ANNOTATION]: problem };

/**
 * What stands in the way of the specs of one concept, by their id. Who works on the kernel sets it, who owns the merged specs shows it
 * as an annotation: `talosctl get linkspec eth0 -o yaml`. In memory only; as many as there are specs that fail.
 */
export interface Problems extends WakeSource {
  /** undefined: there is none any more. Wakes those who listen when it differs. Never secrets. */
  set(id: string, problem: string | undefined): void;
  of(id: string): string | undefined;
}

/** Nothing stands in the way yet. */
export function createProblems(): Problems {
  const problems = new Map<string, string>();
  const listeners = new Set<() => void>();
  return {
    set: (id, problem) => {
      if (problems.get(id) === problem) return;
      if (problem === undefined) problems.delete(id);
      else problems.set(id, problem);
      for (const wake of listeners) wake();
    },
    of: (id) => problems.get(id),
    listen: (wake) => {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
  };
}
