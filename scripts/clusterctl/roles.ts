import type { JsonObject } from '@bloomery/model';

export const READ: readonly string[] = ['get', 'list', 'watch'];
export const WRITE: readonly string[] = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
export const STATUS: readonly string[] = ['get', 'patch', 'update'];

/** One rule of a ClusterRole. */
export function allow(apiGroup: string, resources: readonly string[], verbs: readonly string[]): JsonObject {
  return { apiGroups: [apiGroup], resources: [...resources], verbs: [...verbs] };
}

/** What every manager writes beside its own kinds. */
export const EVENTS_AND_LEASES: readonly JsonObject[] = [
  allow('', ['events'], ['create', 'patch']),
  allow('coordination.k8s.io', ['leases'], ['create', 'get', 'list', 'patch', 'update', 'watch']),
];

/** Kinds are found by their definitions; a manager writes its own authority into them and into its webhook configurations. */
export const OWN_DEFINITIONS: readonly JsonObject[] = [
  allow('apiextensions.k8s.io', ['customresourcedefinitions'], ['get', 'list', 'patch', 'watch']),
  allow(
    'admissionregistration.k8s.io',
    ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    ['create', 'get', 'list', 'patch', 'update', 'watch'],
  ),
];
