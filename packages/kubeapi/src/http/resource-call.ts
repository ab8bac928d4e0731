import type { KindDefinition } from '@bloomery/model';
import type { ApiEngine } from '../api-engine.ts';
import type { ApiObject } from '../api-object.ts';
import { objectText } from '../object-text.ts';
import { badRequest } from '../pipeline/api-status.ts';
import type { Resource } from '../registry/resource.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiRequest } from './api-request.ts';

/** A request for a resource, with what it addresses looked up. */
export interface ResourceCall {
  readonly engine: ApiEngine;
  readonly request: ApiRequest;
  readonly path: ApiPath;
  readonly resource: Resource;
  readonly version: KindDefinition;
}

/** What a Table shows of its rows, as the query asks. */
export function tableOptions(call: ResourceCall): {
  readonly nowMs: number;
  readonly includeObject: 'None' | 'Metadata' | 'Object';
} {
  const asked = call.request.query.get('includeObject');
  return {
    nowMs: call.engine.clock.nowMs(),
    includeObject: asked === 'None' || asked === 'Object' ? asked : 'Metadata',
  };
}

/** JSON text of a frozen object. */
export const jsonTextOf: (object: ApiObject) => string = objectText;

/** A query flag: `true`, `1` or present without a value. */
export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === '';
}

/** A whole number of a query. @throws 400. */
export function wholeNumber(value: string | null, name: string): number | undefined {
  if (value === null || value === '') return undefined;
  if (!/^\d{1,9}$/.test(value)) throw badRequest(`${name}: wants a whole number`);
  return Number(value);
}
