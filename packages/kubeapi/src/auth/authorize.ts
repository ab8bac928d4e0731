import type { Store } from '../store/store.ts';
import { type PolicyRule, ruleAllows } from './rbac/policy-rule.ts';
import { createRbacIndex, type Grant } from './rbac/rbac-index.ts';
import { MASTERS, type User } from './user.ts';

/** What somebody wants to do with a resource, or with a path that is none. */
export type Attributes =
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly verb: string; readonly path: string };

/** Whether it is allowed, and the reason as kube-apiserver words it: '' when there is nothing to say. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** The rules of a user, with what could not be looked up. */
export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Roles that bindings name and that do not exist. */
  readonly errors: readonly string[];
}

/** RBAC over the store's committed roles and bindings. A decision costs what the user's own bindings cost. */
export interface Authorizer {
  decide(user: User, attributes: Attributes): Decision;
  /** What a user may do in the whole API and, unless '' is given, in a namespace. */
  rulesFor(user: User, namespace: string): UserRules;
  /** Rules of a role that a binding may name; undefined when there is none. */
  rulesOf(kind: string, namespace: string, name: string): readonly PolicyRule[] | undefined;
  stop(): void;
}

const ALLOWED: Decision = { allowed: true, reason: '' };

/** Probes reach these without credentials, whatever the roles say. */
const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/** Make the authorizer of a store. */
export function createAuthorizer(store: Store): Authorizer {
  const index = createRbacIndex(store);
  return {
    decide(user, attributes) {
      if (user.groups.includes(MASTERS)) return ALLOWED;
      if ('path' in attributes && ALWAYS_ALLOWED.has(attributes.path)) return ALLOWED;
      let found: Grant | undefined;
      const errors: string[] = [];
      index.visit(user, 'namespace' in attributes ? attributes.namespace : '', (grant) => {
        if (grant.rules === undefined) errors.push(missingRole(grant));
        else if (grant.rules.some((rule) => ruleAllows(rule, attributes))) found = grant;
        return found !== undefined;
      });
      if (found !== undefined) return { allowed: true, reason: reasonOf(found) };
      return { allowed: false, reason: errors.length === 0 ? '' : `RBAC: ${errorsText(errors)}` };
    },
    rulesFor(user, namespace) {
      const rules: PolicyRule[] = [];
      const errors: string[] = [];
      index.visit(user, namespace, (grant) => {
        if (grant.rules === undefined) errors.push(missingRole(grant));
        else rules.push(...grant.rules);
        return false;
      });
      return { rules, errors };
    },
    rulesOf: index.rulesOf,
    stop: index.stop,
  };
}

/** Several errors as Go prints an aggregate: one alone, more in brackets. */
export function errorsText(errors: readonly string[]): string {
  const all = [...new Set(errors)];
  return all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`;
}

function reasonOf({ binding, role, subject }: Grant): string {
  const { kind, name, namespace } = binding;
  const full = namespace === '' ? name : `${name}/${namespace}`;
  return `RBAC: allowed by ${kind} ${JSON.stringify(full)} of ${role.kind} ${JSON.stringify(role.name)} to ${subject}`;
}

function missingRole({ role }: Grant): string {
  return `${role.kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(role.name)} not found`;
}
