import type { ResourceDefinition } from '@bloomery/cosi';
import * as resources from './resources/index.ts';
import { LAYERED } from './resources/index.ts';

/** Every type of the daemon, in the order of their names: registered also while there are none of them. */
export const SERVED_DEFINITIONS: readonly ResourceDefinition[] = Object.values(resources)
  .filter(isDefinition)
  .sort((a, b) => (a.type < b.type ? -1 : 1));

/** Namespaces that are no type's default. */
export const SERVED_NAMESPACES: readonly string[] = [LAYERED];

function isDefinition(value: unknown): value is ResourceDefinition {
  return typeof value === 'object' && value !== null && 'type' in value && 'codec' in value;
}
