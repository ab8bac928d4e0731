import type { JsonObject, KindDefinition } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import type { User } from '../auth/user.ts';
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
  /** How long the body was; absent when the server itself writes. */
  readonly bodyBytes?: number;
  /** What the body says twice, as texts: judged like unknown fields. */
  readonly duplicates?: readonly string[];
  /** The object comes out of a server-side apply: nulls that may not be are refused there, not dropped. */
  readonly applied?: boolean;
  /** Who asks; absent when the server itself writes. */
  readonly user?: User | undefined;
  /** Asked when an update or an apply is about to create what is not there, which takes a right of its own. Throws to refuse. */
  readonly mayCreate?: (() => void) | undefined;
  /** Who webhooks are told that it was, when a part of the server writes. */
  readonly actor?: User | undefined;
  /** What the caller gave as CreateOptions or UpdateOptions, for webhooks. */
  readonly options?: (() => JsonObject) | undefined;
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
  /** Who asks; absent when the server itself deletes. */
  readonly user?: User | undefined;
  /** Who webhooks are told that it was, when a part of the server deletes. */
  readonly actor?: User | undefined;
  /** What the caller gave as DeleteOptions, for webhooks. */
  readonly options?: (() => JsonObject) | undefined;
  /** One of many that are deleted together: webhooks are not told its name apart from the object. */
  readonly inCollection?: boolean;
}
