import type { User } from '../auth/user.ts';

/** As whom webhooks know a controller of kube-controller-manager: rules that spare these spare ours, too. */
export function controllerUser(name: 'generic-garbage-collector' | 'namespace-controller'): User {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  };
}

/** As whom webhooks know what kube-apiserver does of itself. */
export const APISERVER: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
