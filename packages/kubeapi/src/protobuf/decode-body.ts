import { isJsonObject, type JsonObject } from '@bloomery/model';
import { k8sApiProto as api, k8sMetaProto as meta } from '@bloomery/wire';
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { messageToJson, UnreadableField } from './message-to-json.ts';

/** What every protobuf body of Kubernetes starts with: `k8s` and a zero byte. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00] as const;

/** A decoded body, or why it cannot be read. */
export type DecodedBody =
  | { readonly ok: true; readonly object: JsonObject }
  | {
      readonly ok: false;
      /** True when the bytes are well formed but of a kind that is not read as protobuf: answer 415. Else 400. */
      readonly unsupported: boolean;
      readonly message: string;
    };

/** The messages by `apiVersion kind`. DeleteOptions come under any apiVersion and stand apart. */
const MESSAGES: ReadonlyMap<string, DescMessage> = new Map<string, DescMessage>([
  ['v1 Namespace', api.NamespaceSchema],
  ['v1 Secret', api.SecretSchema],
  ['v1 ConfigMap', api.ConfigMapSchema],
  ['v1 ServiceAccount', api.ServiceAccountSchema],
  ['v1 Event', api.EventSchema],
  ['events.k8s.io/v1 Event', api.EventsEventSchema],
  ['coordination.k8s.io/v1 Lease', api.LeaseSchema],
  ['rbac.authorization.k8s.io/v1 Role', api.RoleSchema],
  ['rbac.authorization.k8s.io/v1 ClusterRole', api.ClusterRoleSchema],
  ['rbac.authorization.k8s.io/v1 RoleBinding', api.RoleBindingSchema],
  ['rbac.authorization.k8s.io/v1 ClusterRoleBinding', api.RoleBindingSchema],
  ['authorization.k8s.io/v1 SelfSubjectAccessReview', api.SelfSubjectAccessReviewSchema],
  ['authorization.k8s.io/v1 SubjectAccessReview', api.SubjectAccessReviewSchema],
  ['authorization.k8s.io/v1 LocalSubjectAccessReview', api.SubjectAccessReviewSchema],
  ['authorization.k8s.io/v1 SelfSubjectRulesReview', api.SelfSubjectRulesReviewSchema],
  ['authentication.k8s.io/v1 SelfSubjectReview', api.SelfSubjectReviewSchema],
  ['authentication.k8s.io/v1 TokenReview', api.TokenReviewSchema],
  ['authentication.k8s.io/v1 TokenRequest', api.TokenRequestSchema],
]);

/**
 * Decode a request body of type `application/vnd.kubernetes.protobuf` into the object that its JSON would be:
 * bytes become base64, times RFC 3339, empty texts and absent times are left out. Never throws.
 *
 * @param body at most what the server accepts as a body. Not retained.
 * @see spec kube-api §2.2
 */
export function decodeProtobufBody(body: Uint8Array): DecodedBody {
  try {
    return decode(body);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function decode(body: Uint8Array): DecodedBody {
  if (!MAGIC.every((byte, i) => body[i] === byte))
    return refuse('provided data does not appear to be a protobuf message');
  const unknown = fromBinary(meta.UnknownSchema, body.subarray(MAGIC.length));
  const apiVersion = unknown.typeMeta?.apiVersion ?? '';
  const kind = unknown.typeMeta?.kind ?? '';
  const desc = kind === 'DeleteOptions' ? meta.DeleteOptionsSchema : MESSAGES.get(`${apiVersion} ${kind}`);
  if (desc === undefined) {
    return {
      ok: false,
      unsupported: true,
      message: `no protobuf decoder for kind "${kind}" in version "${apiVersion}"`,
    };
  }
  if (unknown.contentEncoding !== '') return refuse(`unsupported content encoding "${unknown.contentEncoding}"`);
  const fields = toJson(reflect(desc, fromBinary(desc, unknown.raw)));
  return { ok: true, object: { apiVersion, kind, ...fields } };
}

function toJson(message: ReflectMessage): JsonObject {
  const fields = messageToJson(message);
  if (!isJsonObject(fields)) throw new UnreadableField('the message is not an object');
  return fields;
}

function refuse(message: string): DecodedBody {
  return { ok: false, unsupported: false, message };
}
