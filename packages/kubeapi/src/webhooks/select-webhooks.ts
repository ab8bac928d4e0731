import type { AdmissionAttributes } from './admission-attributes.ts';
import { noDryRun } from './admission-refusal.ts';
import type { AdmissionWebhook } from './admission-webhook.ts';

/** Labels of a namespace; undefined when there is no such namespace. */
export type NamespaceLabels = (namespace: string) => { readonly [name: string]: string } | undefined;

/** Whether the selectors of a webhook pick a write. */
export function isSelected(
  webhook: AdmissionWebhook,
  attributes: AdmissionAttributes,
  labelsOf: NamespaceLabels,
): boolean {
  const { object, oldObject } = attributes;
  if (!webhook.selectsAllNamespaces && !selectsNamespace(webhook, attributes, labelsOf)) return false;
  if (webhook.selectsAllObjects) return true;
  return [object, oldObject].some((state) => state !== undefined && webhook.selectsObject(state.metadata.labels));
}

function selectsNamespace(
  webhook: AdmissionWebhook,
  { resource, namespace, object, subresource }: AdmissionAttributes,
  labelsOf: NamespaceLabels,
): boolean {
  if (resource.id === 'namespaces') {
    // What is created or changed is asked itself: it may not be stored yet.
    const own = subresource === '' ? object?.metadata.labels : undefined;
    return webhook.selectsNamespace(own ?? labelsOf(namespace));
  }
  return namespace === '' || webhook.selectsNamespace(labelsOf(namespace));
}

/** @throws 400 when a dry run meets a webhook that would have side effects. */
export function checkDryRun(webhook: AdmissionWebhook, { dryRun }: AdmissionAttributes): void {
  if (dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') throw noDryRun(webhook.name);
}
