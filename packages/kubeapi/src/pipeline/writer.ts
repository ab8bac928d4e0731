import type { Json } from '@bloomery/model';
import type { Clock, RandomBytes } from '@bloomery/ports';
import type { Store } from '../store/store.ts';
import { createObject } from './create-object.ts';
import type { FieldManagement } from './field-management.ts';
import { type PatchBody, patchObject } from './patch-object.ts';
import { createRemover, type Removal } from './remove-object.ts';
import { updateObject } from './update-object.ts';
import type { WriteContext, WriteGuard } from './write-context.ts';
import type { DeleteRequest, WriteRequest, WriteResult } from './write-request.ts';

export interface WriterDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fields: FieldManagement | undefined;
  readonly guard?: WriteGuard;
}

/** All writes of the API. Between reading the present state and staging the next there is no await: writers never race. */
export interface Writer {
  create(request: WriteRequest, body: Json): Promise<WriteResult>;
  update(request: WriteRequest, name: string, body: Json): Promise<WriteResult>;
  patch(request: WriteRequest, name: string, patch: PatchBody): Promise<WriteResult>;
  /** The object with its deletion begun (`gone` false), or its last state (`gone` true). */
  delete(request: DeleteRequest): Promise<Removal>;
}

/** Make the writer over a store. */
export function createWriter(deps: WriterDeps): Writer {
  const { store, clock, random, fields, guard = () => {} } = deps;
  const now = (): string => `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;
  const context: WriteContext = { store, random, fields, guard, now };
  return {
    create: (request, body) => createObject(context, request, body),
    update: (request, name, body) => updateObject(context, request, name, body),
    patch: (request, name, patch) => patchObject(context, request, name, patch),
    delete: createRemover(store, now),
  };
}
