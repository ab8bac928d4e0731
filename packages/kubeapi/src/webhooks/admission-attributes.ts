import type { JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import type { User } from '../auth/user.ts';
import type { AdmissionTarget } from './match-rules.ts';

/** A write as webhooks see it. */
export interface AdmissionAttributes extends AdmissionTarget {
  /** Of a Namespace itself its own name. */
  readonly namespace: string;
  /** '' when a name is still to be made out of generateName. */
  readonly name: string;
  /** In the version of the request; of the scale subresource a Scale. Absent when something is deleted. */
  readonly object: ApiObject | undefined;
  /** Absent when something is created. */
  readonly oldObject: ApiObject | undefined;
  /** CreateOptions, UpdateOptions or DeleteOptions. */
  readonly options: JsonObject;
  readonly dryRun: boolean;
  readonly user: User;
}
