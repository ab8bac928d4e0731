import type { Area } from './area.ts';
import { crud } from './cases/crud.ts';

/** The whole suite, in the order in which it runs. */
export const AREAS: readonly Area[] = [crud];
