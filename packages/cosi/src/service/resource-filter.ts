import { grpcError } from '@bloomery/grpc';
import { errorText } from '@bloomery/ports';
import type { cosiProto } from '@bloomery/wire';
import type { RE2JS } from 're2js';
import type { Resource } from '../resource.ts';
import type { StateEvent } from '../state.ts';
import { checkLabelQueries, labelsMatch } from './label-match.ts';

const REGEXP_MAX_CHARACTERS = 10_000;

/** Which resources somebody wants to see. */
export type ResourceFilter = (resource: Resource) => boolean;

/**
 * The filter of the options of a list or a watch. Patterns are RE2, found anywhere in the id.
 *
 * @throws grpcError INVALID_ARGUMENT for a pattern that is none, UNIMPLEMENTED for unknown operators.
 */
export async function resourceFilter(
  queries: readonly cosiProto.LabelQuery[] = [],
  idQuery: cosiProto.IDQuery | undefined = undefined,
): Promise<ResourceFilter> {
  checkLabelQueries(queries);
  const pattern = await compile(idQuery?.regexp ?? '');
  return ({ metadata }) =>
    labelsMatch(queries, metadata.labels) && (pattern === undefined || pattern.matcher(metadata.id).find());
}

/** An event as it looks to somebody who sees only some resources: those that come into sight or leave it are made and gone. */
export function filterEvent(event: StateEvent, isSeen: ResourceFilter): StateEvent | undefined {
  switch (event.type) {
    case 'created':
    case 'destroyed':
      return isSeen(event.resource) ? event : undefined;
    case 'updated': {
      const { resource, old, bookmark } = event;
      if (isSeen(resource)) return isSeen(old) ? event : { type: 'created', resource, bookmark };
      return isSeen(old) ? { type: 'destroyed', resource, bookmark } : undefined;
    }
    default:
      return event;
  }
}

async function compile(regexp: string): Promise<RE2JS | undefined> {
  if (regexp === '') return undefined;
  if (regexp.length > REGEXP_MAX_CHARACTERS)
    throw grpcError(
      'INVALID_ARGUMENT',
      `failed to compile regexp: it has more than ${REGEXP_MAX_CHARACTERS} characters`,
    );
  try {
    // Loaded when first needed: few ask so, and its tables take memory.
    const { RE2JS } = await import('re2js');
    return RE2JS.compile(regexp);
  } catch (error) {
    throw grpcError('INVALID_ARGUMENT', `failed to compile regexp: ${errorText(error)}`);
  }
}
