/**
 * One change of the world. Each may be done again when nobody knows whether it was done; after each the world is looked at
 * anew, so that a restart between any two goes on from what is there.
 */
export type ControlPlaneAction =
  | { readonly do: 'addFinalizer' }
  | { readonly do: 'removeFinalizer' }
  /** Infrastructure object, TalosConfig and Machine, in this order, under one name. */
  | { readonly do: 'createMachine'; readonly beforeBootstrap: boolean; readonly failureDomain: string | undefined }
  /** Record which machine bootstraps etcd, before it is asked. */
  | { readonly do: 'chooseBootstrap'; readonly machine: string; readonly node: string }
  | { readonly do: 'releaseBootstrap'; readonly machine: string; readonly why: string }
  | { readonly do: 'bootstrap'; readonly machine: string; readonly node: string }
  /** Record that a machine is to go, before etcd hears of it. */
  | { readonly do: 'markLeaving'; readonly machine: string; readonly why: string }
  /** Hands over leadership first. */
  | { readonly do: 'leaveEtcd'; readonly machine: string; readonly node: string }
  /** Through another machine than the one that goes. */
  | { readonly do: 'removeMember'; readonly id: bigint; readonly who: string; readonly node: string }
  | { readonly do: 'deleteMachine'; readonly machine: string; readonly why: string }
  /** Let the deletion of a Machine go on to its infrastructure. `skipped` names what was left out. */
  | { readonly do: 'releaseHook'; readonly machine: string; readonly skipped: string | undefined }
  /** Annotations of a Machine as they should be. */
  | { readonly do: 'settleMachine'; readonly machine: string; readonly annotations: Record<string, string | null> }
  | { readonly do: 'deleteNode'; readonly node: string; readonly machine: string }
  | { readonly do: 'claimTemplate' }
  /** Configuration, Kubernetes version and Talos version, on the running machine. */
  | { readonly do: 'changeInPlace'; readonly machine: string; readonly node: string };
