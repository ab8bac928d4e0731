import { ANNOTATIONS } from '@bloomery/model';
import type { ExplainedObject } from './explain-input.ts';

const inNamespace = ({ metadata }: ExplainedObject): string =>
  metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;

const configs = (o: ExplainedObject): string =>
  `kubectl get talosconfigs,talosconfigtemplates${inNamespace(o)} -o yaml`;

/** What to do about a TalosConfig that gives no machine config. */
export const BOOTSTRAP_WAIT_RULES = {
  BootstrapConfigRefused: {
    next: 'Nothing: the spec of a TalosConfig is immutable. Correct the template or the control plane, and machines made from it are right.',
    do: (o: ExplainedObject) => [configs(o), `kubectl edit taloscontrolplanes,machinedeployments${inNamespace(o)}`],
  },
  BootstrapDataLost: {
    next: 'It goes on by itself when the Secret is back.',
    do: (o: ExplainedObject) => [
      `kubectl get secrets${inNamespace(o)}`,
      `kubectl delete machine NAME${inNamespace(o)}`,
      `kubectl annotate ${o.kind.toLowerCase()} ${o.metadata.name}${inNamespace(o)} ${ANNOTATIONS.regenerateData}=`,
    ],
  },
  ClusterSecretsUnusable: {
    next: 'The Secret is looked at every 30 seconds: it goes on by itself when it is back or mended.',
    do: (o: ExplainedObject) => [
      `kubectl get secrets${inNamespace(o)}`,
      'talosctl gen secrets --from-controlplane-config FILE',
    ],
  },
} as const;
