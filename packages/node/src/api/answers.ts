import { GRPC_STATUS } from '@bloomery/grpc';
import { type Admission, forwardingText } from './api-access.ts';

/** Which node an answer is from, and why it has none. */
export interface AnswerMetadata {
  readonly hostname: string;
  readonly error?: string;
  readonly status?: { readonly code: number; readonly message: string };
}

/** The answer of a method that answers once: one message for each node that the caller named, an error for those that are not us. */
export function answer<M extends object>(
  admission: Admission,
  message: M,
): { messages: (M | (M & { metadata: AnswerMetadata }) | { metadata: AnswerMetadata })[] } {
  const { names, others } = admission;
  const own = names.length === 0 ? [message] : names.map((hostname) => ({ ...message, metadata: { hostname } }));
  return { messages: [...own, ...others.map((hostname) => ({ metadata: failure(hostname) }))] };
}

/** What stands with each message of a stream: the node as the caller named it. */
export const streamMetadata = ({ names }: Admission): { readonly metadata?: AnswerMetadata } =>
  names[0] === undefined ? {} : { metadata: { hostname: names[0] } };

/** First messages of a stream: the nodes that are not us. */
export const streamFailures = ({ others }: Admission): { readonly metadata: AnswerMetadata }[] =>
  others.map((hostname) => ({ metadata: failure(hostname) }));

function failure(hostname: string): AnswerMetadata {
  const message = forwardingText([hostname]);
  return { hostname, error: message, status: { code: GRPC_STATUS.UNAVAILABLE, message } };
}
