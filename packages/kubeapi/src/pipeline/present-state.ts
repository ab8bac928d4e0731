import type { ApiObject } from '../api-object.ts';
import { idOf } from './object-id.ts';
import type { WriteContext } from './write-context.ts';
import type { DeleteRequest } from './write-request.ts';

/**
 * The state that a write builds on, as it is stored; `toVersion` answers for it. A promise only where a conversion webhook has to
 * be asked: else nothing may come between reading it and staging the next state.
 */
export function presentState(
  { store, conversions }: Pick<WriteContext, 'store' | 'conversions'>,
  request: Pick<DeleteRequest, 'resource' | 'version' | 'namespace'>,
  name: string,
): ApiObject | undefined | Promise<ApiObject> {
  const before = store.head(idOf(request, name));
  if (before === undefined) return undefined;
  const pending = conversions.prepare(request.resource, [before], request.version);
  return pending === undefined ? before : pending.then(() => before);
}
