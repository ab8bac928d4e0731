import type { KindDefinition } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';

/** Which resource is written, how, and by whom. */
export interface WriteRequest {
  readonly resource: Resource;
  /** The version that the caller speaks. */
  readonly version: KindDefinition;
  /** '' for cluster scope. */
  readonly namespace: string;
  readonly subresource?: 'status' | 'scale' | 'finalize' | undefined;
  /** For managedFields. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** The object comes out of a server-side apply: nulls that may not be are refused there, not dropped. */
  readonly applied?: boolean;
}

/** What a write answers: the object in the caller's version, and warnings for the Warning header. */
export interface WriteResult {
  readonly object: ApiObject;
  readonly warnings: readonly string[];
  readonly created: boolean;
}

export interface DeleteRequest {
  readonly resource: Resource;
  readonly version: KindDefinition;
  readonly namespace: string;
  readonly name: string;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly dryRun: boolean;
}
