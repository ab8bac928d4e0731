import type { ApiObject } from '../api-object.ts';
import type { WriteRequest } from './write-request.ts';

/** What a request wants an object to be, before the server adds and checks its part. */
export interface Wish {
  /** The request to go on with. */
  readonly request: WriteRequest;
  /** In the version of the request, its type and metadata read. */
  readonly given: ApiObject;
  /** Fields of its metadata that nobody knows. */
  readonly unknownMeta: readonly string[];
  /** Writes the managedFields. A promise only where a conversion webhook has to be asked. */
  readonly own: (object: ApiObject, asked: ApiObject) => ApiObject | Promise<ApiObject>;
  readonly warnings: readonly string[];
}
