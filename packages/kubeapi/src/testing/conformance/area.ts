import type { Session } from './session.ts';

/** One case: what is done. What must come of it is in the recording of its area. */
export interface Case {
  readonly run: (session: Session) => Promise<void>;
  /** Why our answers differ here; listed in docs/reference/kube-api-differences.md. */
  readonly differs?: string;
}

/** Cases about one thing, by their sentence. */
export interface Area {
  readonly name: string;
  readonly cases: Readonly<Record<string, Case>>;
  /** How many cases run at a time; 4 unless given. */
  readonly concurrency?: number;
  /** Programs without which the area is left out. */
  readonly needs?: readonly string[];
}

/** Declare an area. A case is a function, or an object where it must differ on our side. */
export function area(
  name: string,
  cases: Readonly<Record<string, Case['run'] | Case>>,
  options: Pick<Area, 'concurrency' | 'needs'> = {},
): Area {
  const whole = Object.entries(cases).map(([title, c]) => [title, typeof c === 'function' ? { run: c } : c]);
  return { name, cases: Object.fromEntries(whole), ...options };
}
