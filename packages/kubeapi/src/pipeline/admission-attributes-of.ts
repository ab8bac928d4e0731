import type { JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import type { User } from '../auth/user.ts';
import type { AdmissionAttributes } from '../webhooks/admission-attributes.ts';
import type { AdmissionTarget } from '../webhooks/match-rules.ts';
import type { DeleteRequest, WriteRequest } from './write-request.ts';

/** Who webhooks are told that it was when the server itself writes, and no part of it has a name of its own. */
const SERVER: User = { name: 'system:bloomery', groups: ['system:masters', 'system:authenticated'] };

type Request = Pick<WriteRequest, 'resource' | 'version' | 'subresource'>;

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** What is done to what. */
export function targetOf(
  { resource, version, subresource }: Request,
  operation: AdmissionTarget['operation'],
): AdmissionTarget {
  return { resource, version, subresource: subresource ?? '', operation };
}

/** A write as webhooks see it. */
export function attributesOf(
  request: Request & Pick<DeleteRequest, 'namespace' | 'dryRun' | 'user' | 'actor' | 'options'>,
  target: AdmissionTarget,
  name: string,
  states: { readonly object: ApiObject | undefined; readonly oldObject: ApiObject | undefined },
): AdmissionAttributes {
  const { resource, dryRun, user, actor } = request;
  const options: JsonObject = {
    kind: OPTIONS[target.operation],
    apiVersion: 'meta.k8s.io/v1',
    ...request.options?.(),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
  return {
    ...target,
    ...states,
    namespace: resource.id === 'namespaces' ? name : request.namespace,
    name,
    options,
    dryRun,
    user: user ?? actor ?? SERVER,
  };
}
