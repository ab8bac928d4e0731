import { hasMessage, messageOf } from './message-table.ts';

/** The messages of the kinds in each group and version, as they are called in the table. */
const GROUPS: { readonly [apiVersion: string]: string } = {
  v1: 'core',
  'admissionregistration.k8s.io/v1': 'admissionregistration',
  'apiextensions.k8s.io/v1': 'apiextensions',
  'apiregistration.k8s.io/v1': 'apiregistration',
  'apps/v1': 'apps',
  'authentication.k8s.io/v1': 'authentication',
  'authorization.k8s.io/v1': 'authorization',
  'autoscaling/v1': 'autoscaling1',
  'autoscaling/v2': 'autoscaling',
  'batch/v1': 'batch',
  'certificates.k8s.io/v1': 'certificates',
  'coordination.k8s.io/v1': 'coordination',
  'discovery.k8s.io/v1': 'discovery',
  'events.k8s.io/v1': 'events',
  'networking.k8s.io/v1': 'networking',
  'policy/v1': 'policy',
  'rbac.authorization.k8s.io/v1': 'rbac',
  'scheduling.k8s.io/v1': 'scheduling',
  'storage.k8s.io/v1': 'storage',
};

/** Kinds whose message lies in the metadata group; DeleteOptions come under any apiVersion. */
const SHARED: ReadonlySet<string> = new Set(['DeleteOptions', 'Status']);

/** The name of the message of a kind in the table (`core.Pod`); undefined for a kind that it does not have. */
export function messageOfKind(apiVersion: string, kind: string): string | undefined {
  if (SHARED.has(kind)) return `meta.${kind}`;
  const group = Object.hasOwn(GROUPS, apiVersion) ? GROUPS[apiVersion] : undefined;
  if (group === undefined) return undefined;
  const name = `${group}.${kind}`;
  return isKind(name) ? name : undefined;
}

/** A kind is a message with metadata of its own. */
function isKind(name: string): boolean {
  return hasMessage(name) && messageOf(name).fields.some((field) => field.name === 'metadata');
}
