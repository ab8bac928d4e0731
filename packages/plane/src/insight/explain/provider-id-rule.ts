import { findCondition } from '@bloomery/kube';
import { type Finding, LABELS } from '@bloomery/model';
import { quoteError } from '../quote-error.ts';
import { sinceOf, statementOf, TEXT_MAX } from './evidence.ts';
import { type ExplainedCondition, type ExplainedObject, type ExplainInput, objectRef } from './explain-input.ts';

/**
 * The Node of a machine has no provider id, so that Cluster API does not know it. Nothing before the operating system is
 * installed: there is no Node then, which the waits say better.
 *
 * @param condition ProviderSet of a MetalMachine, False
 */
export function explainProviderId(
  object: ExplainedObject,
  condition: ExplainedCondition,
  input: ExplainInput,
): readonly Finding[] {
  if (findCondition(object.status?.conditions, 'TalosInstalled')?.status !== 'True') return [];
  const server = input.upstream.find(({ kind }) => kind === 'Server')?.metadata.name ?? 'SERVER';
  const cluster = object.metadata.labels?.[LABELS.clusterName] ?? 'CLUSTER';
  const message = quoteError(condition.message ?? '', TEXT_MAX);
  const open = `bloomery kubeconfig ${cluster} --file ${cluster}.kubeconfig`;
  const kubectl = `kubectl --kubeconfig ${cluster}.kubeconfig`;
  const common = {
    rule: 'ProviderIdUnset',
    severity: 'warning',
    ...sinceOf(condition),
    evidence: [statementOf(condition)],
    more: 'reference/explain-rules#provideridunset',
  } as const;
  if (message === 'no matching nodes found') {
    const label = `${LABELS.nodeServer}=${server}`;
    return [
      {
        ...common,
        cause: `No Node of Cluster ${cluster} carries the label ${label}: the kubelet of the machine has not joined, or its label was changed.`,
        next: 'The provider id is set as soon as such a Node is there.',
        do: [`bloomery logs ${server}`, open, `${kubectl} get nodes -L ${LABELS.nodeServer}`],
      },
    ];
  }
  const isOfNode = message.startsWith('multiple nodes') || message.includes('cannot be changed');
  return [
    {
      ...common,
      cause: isOfNode ? `${message}.` : `The provider id cannot be set in Cluster ${cluster}: ${message}.`,
      next: isOfNode ? 'Nothing, until somebody deletes the Node.' : 'It is tried again by itself.',
      do: isOfNode
        ? [open, `${kubectl} get nodes -l ${LABELS.nodeServer}=${server}`, `${kubectl} delete node NODE`]
        : [`bloomery explain cluster/${cluster}`, `bloomery describe ${objectRef(object)}`],
    },
  ];
}
