import { type Json, timeText } from '@bloomery/model';
import type { Clock, RandomBytes } from '@bloomery/ports';
import type { Registry } from '../registry/registry.ts';
import { type Resource, resourceId } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import type { Admission } from '../webhooks/admission.ts';
import { type Conversions, ownConversions } from '../webhooks/conversions.ts';
import { createObject } from './create-object.ts';
import type { FieldManagement } from './field-management.ts';
import { type PatchBody, patchObject } from './patch-object.ts';
import { type Removal, removeObject } from './remove-object.ts';
import { settleWrite } from './settle-write.ts';
import { updateObject } from './update-object.ts';
import type { WriteContext, WriteGuard } from './write-context.ts';
import type { DeleteRequest, WriteRequest, WriteResult } from './write-request.ts';

export interface WriterDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly fields: FieldManagement | undefined;
  readonly guard?: WriteGuard;
  /** Absent: no webhook is asked. */
  readonly admission?: Pick<Admission, 'mutation' | 'validation'>;
  /** Absent: kinds are converted by their own functions only. */
  readonly conversions?: Conversions;
  /** Where a write that has to begin anew finds what its kind has become. */
  readonly registry?: Pick<Registry, 'byId' | 'find'>;
}

/**
 * All writes of the API. Between reading the present state and staging the next there is no await, so that writers never race;
 * a write that has to wait for webhooks checks afterwards that nothing moved, and else begins anew.
 */
export interface Writer {
  create(request: WriteRequest, body: Json): Promise<WriteResult>;
  update(request: WriteRequest, name: string, body: Json): Promise<WriteResult>;
  patch(request: WriteRequest, name: string, patch: PatchBody): Promise<WriteResult>;
  /** The object with its deletion begun (`gone` false), or its last state (`gone` true). */
  delete(request: DeleteRequest): Promise<Removal>;
}

/** Make the writer over a store. */
export function createWriter(deps: WriterDeps): Writer {
  const { store, clock, random, fields, guard = () => {}, admission, conversions = ownConversions, registry } = deps;
  const now = (): string => timeText(clock.nowMs());
  const isServed = (resource: Resource): boolean =>
    registry === undefined || registry.byId(resourceId(resource)) === resource;
  const context: WriteContext = { store, random, fields, guard, admission, conversions, isServed, now };
  /** A refusal may rest on what is staged only, such as another one's create: it is told when that is on disk. */
  const refusedLate = async (error: unknown): Promise<never> => {
    await store.settled();
    throw error;
  };
  return {
    create: (request, body) =>
      settleWrite(registry, request, '', (current) => createObject(context, current, body)).catch(refusedLate),
    update: (request, name, body) =>
      settleWrite(registry, request, name, (current) => updateObject(context, current, name, body)).catch(refusedLate),
    patch: (request, name, patch) =>
      settleWrite(registry, request, name, (current) => patchObject(context, current, name, patch)).catch(refusedLate),
    delete: (request) =>
      settleWrite(registry, request, request.name, (current) => removeObject(context, current)).catch(refusedLate),
  };
}
