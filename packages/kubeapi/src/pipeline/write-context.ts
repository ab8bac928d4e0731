import type { RandomBytes } from '@bloomery/ports';
import type { Store } from '../store/store.ts';
import type { FieldManagement } from './field-management.ts';

/** What every write works with. */
export interface WriteContext {
  readonly store: Store;
  readonly random: RandomBytes;
  /** Absent: managedFields are not kept and server-side apply is not offered. */
  readonly fields: FieldManagement | undefined;
  /** The time as RFC 3339, seconds. */
  readonly now: () => string;
}
