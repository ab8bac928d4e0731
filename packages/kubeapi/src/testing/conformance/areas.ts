import type { Area } from './area.ts';
import { apply } from './cases/apply.ts';
import { crud } from './cases/crud.ts';
import { metadata } from './cases/metadata.ts';
import { patch } from './cases/patch.ts';

/** The whole suite, in the order in which it runs. */
export const AREAS: readonly Area[] = [crud, metadata, patch, apply];
