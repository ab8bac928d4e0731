import type { MetalMachine, ServerBinding } from '@bloomery/model';
import { FINALIZERS, LABELS } from '@bloomery/model';

/** How a Server comes to a MetalMachine: through a ServerClass, or named by the user. */
export interface BindingDraft {
  readonly server: string;
  readonly metalMachine: MetalMachine;
  readonly clusterName: string | undefined;
  /** Absent when the MetalMachine named the Server itself: then no class patches apply. */
  readonly serverClassRef?: NonNullable<MetalMachine['spec']>['serverClassRef'];
}

/** The ServerBinding that allocates a Server: its name is the lock. */
export function serverBindingFor(draft: BindingDraft): ServerBinding {
  const { metadata } = draft.metalMachine;
  const cluster = draft.clusterName === undefined ? {} : { [LABELS.clusterName]: draft.clusterName };
  return {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: {
      name: draft.server,
      labels: { ...cluster, ...metadata.labels },
      finalizers: [FINALIZERS.serverBinding],
    },
    spec: {
      metalMachineRef: {
        kind: 'MetalMachine',
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      },
      ...(draft.serverClassRef === undefined ? {} : { serverClassRef: draft.serverClassRef }),
    },
  };
}
