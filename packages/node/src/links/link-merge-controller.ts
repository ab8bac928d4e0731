import type { Controller } from '@bloomery/cosi';
import { mergeController, type Problems } from '../layers/index.ts';
import { LinkSpec } from '../resources/links.ts';
import { mergeLinks } from './merge-links.ts';

/** Links of all layers become one for each name. */
export function linkMergeController(problems: Problems): Controller {
  return mergeController({
    name: 'network.LinkMergeController',
    definition: LinkSpec,
    idOf: ({ name }) => name,
    merge: mergeLinks,
    problems,
  });
}
