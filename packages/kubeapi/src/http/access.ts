import { apiError } from '@bloomery/kube';
import type { JsonObject } from '@bloomery/model';
import type { Attributes, Authorizer } from '../auth/authorize.ts';
import type { User } from '../auth/user.ts';

/** Let the request pass or refuse it. @returns why it is allowed. @throws 403 in the words of kube-apiserver. */
export function requireAllowed(authorizer: Authorizer, user: User, attributes: Attributes): string {
  const { allowed, reason } = authorizer.decide(user, attributes);
  if (allowed) return reason;
  throw apiError({
    code: 403,
    reason: 'Forbidden',
    message: `${forbiddenText(user, attributes)}${reason === '' ? '' : `: ${reason}`}`,
    details: forbiddenDetails(attributes),
  });
}

function forbiddenText(user: User, attributes: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${attributes.verb}`;
  if ('path' in attributes) return `forbidden: ${who} path ${JSON.stringify(attributes.path)}`;
  const { group, resource, subresource, namespace, name } = attributes;
  const full = `${resource}${subresource === '' ? '' : `/${subresource}`}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const what = `${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${JSON.stringify(name)}`}`;
  return `${what} is forbidden: ${who} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}`;
}

function forbiddenDetails(attributes: Attributes): JsonObject {
  if ('path' in attributes) return {};
  const { group, resource, name } = attributes;
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
}
