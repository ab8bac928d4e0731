import type { KindDefinition } from '@bloomery/model';
import type { ApiEngine } from '../api-engine.ts';
import type { User } from '../auth/user.ts';
import { badRequest } from '../pipeline/api-status.ts';
import type { Resource } from '../registry/resource.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiRequest } from './api-request.ts';

/** Told of one watch. Must not throw. */
export interface WatchObserver {
  started(): void;
  /** Lines go out together. */
  sent(events: number, bytes: number): void;
  ended(): void;
}

/** A request for a resource, with what it addresses looked up. */
export interface ResourceCall {
  readonly engine: ApiEngine;
  readonly request: ApiRequest;
  /** For whom: the caller, or whom it impersonates. */
  readonly user: User;
  /** Sees a watch from its start to its end. */
  readonly watching?: WatchObserver;
  readonly path: ApiPath;
  readonly resource: Resource;
  readonly version: KindDefinition;
}

/** What a Table shows of its rows, as the query asks. @throws 400. */
export function tableOptions(call: ResourceCall): {
  readonly nowMs: number;
  readonly includeObject: 'None' | 'Metadata' | 'Object';
} {
  const asked = call.request.query.get('includeObject') || 'Metadata';
  if (asked !== 'None' && asked !== 'Metadata' && asked !== 'Object') {
    const why = `includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`;
    throw badRequest(`Unable to convert to Table as requested: ${why}`);
  }
  return {
    nowMs: call.engine.clock.nowMs(),
    includeObject: asked,
  };
}

/** A query flag: anything but `false` and `0`, also nothing at all behind its name. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A whole number of a query; undefined where there is none. @throws 400 in the words of Go's parser. */
export function wholeNumber(value: string | null): number | undefined {
  if (value === null || value === '') return undefined;
  const shown = JSON.stringify(value.slice(0, 64));
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${shown}: invalid syntax`);
  const number = Number(value);
  if (Math.abs(number) >= 2 ** 63) throw badRequest(`strconv.ParseInt: parsing ${shown}: value out of range`);
  return number;
}
