import type { RandomBytes } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import type { Admission } from '../webhooks/admission.ts';
import type { Conversions } from '../webhooks/conversions.ts';
import type { FieldManagement } from './field-management.ts';
import type { WriteRequest } from './write-request.ts';

/** A write whose object has been brought into shape; `before` is absent when it is created. */
export interface ShapedWrite {
  readonly request: WriteRequest;
  readonly before: ApiObject | undefined;
  readonly after: ApiObject;
}

/** Looks at every create and update, dry runs too, before it is committed. Throws to refuse it. */
export type WriteGuard = (write: ShapedWrite) => void;

/** What every write works with. */
export interface WriteContext {
  readonly store: Store;
  readonly random: RandomBytes;
  /** Absent: managedFields are not kept and server-side apply is not offered. */
  readonly fields: FieldManagement | undefined;
  readonly guard: WriteGuard;
  /** Absent: no webhook is asked. */
  readonly admission: Pick<Admission, 'mutation' | 'validation'> | undefined;
  readonly conversions: Conversions;
  /** Whether this is still the definition by which its kind is served. */
  readonly isServed: (resource: Resource) => boolean;
  /** The time as RFC 3339, seconds. */
  readonly now: () => string;
}
