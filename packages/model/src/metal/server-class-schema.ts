import type { Column } from '../kind.ts';
import { integer, list, map, object, string } from '../schema.ts';
import { configPatchesSchema, labelSelectorSchema, objectReferenceSchema } from '../shared-schema.ts';

/** Fields of ServerClass.spec that both versions have. */
export const serverClassSpecFields = {
  environmentRef: objectReferenceSchema,
  selector: labelSelectorSchema,
  configPatches: configPatchesSchema,
  bootFromDiskMethod: string(),
};

/** Label pairs: one match of any of them suffices. */
export const labelSelectorsField = {
  labelSelectors: list(map(string()), { description: 'Any key=value of any entry suffices.' }),
};

/** ServerClass.status of both versions: upstream's lists, then ours. */
export const serverClassStatusSchema = object(
  { serversAvailable: list(string(), { nullable: true }), serversInUse: list(string(), { nullable: true }) },
  {
    availableCount: integer(),
    inUseCount: integer(),
    totalCount: integer(),
    cleanCount: integer({ description: 'Available Servers that are clean: these can be allocated at once.' }),
    selector: string({ description: 'The selector and the qualifiers in one line.' }),
    problem: string({ description: 'Why the class cannot be evaluated; absent when it can.' }),
  },
);

/** Columns of ServerClass (spec/ux.md §2.1): counts instead of upstream's arrays. */
export const serverClassColumns: readonly Column[] = [
  { name: 'Available', path: '.status.availableCount', of: 'integer' },
  { name: 'In Use', path: '.status.inUseCount', of: 'integer' },
  { name: 'Total', path: '.status.totalCount', of: 'integer' },
  { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  { name: 'Selector', path: '.status.selector', of: 'string', wide: true },
  { name: 'Environment', path: '.spec.environmentRef.name', of: 'string', wide: true },
];
