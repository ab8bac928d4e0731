import type { Cluster, Machine, Node, TalosConfig, TalosControlPlane } from '@bloomery/model';
import type { EtcdMember, TalosService } from '@bloomery/talos';
import type { ProviderObject } from '../contract/provider-object.ts';
import type { WorkloadState } from '../workload/workload-clusters.ts';

/** What a machine's etcd says of itself and of the cluster. Only an etcd that has a leader tells its members. */
export interface EtcdReport {
  readonly memberId: bigint;
  /** 0: it knows no leader. */
  readonly leader: bigint;
  readonly isLearner: boolean;
  readonly members: readonly EtcdMember[];
  /** Alarms, for one that the disk is full. */
  readonly errors: readonly string[];
}

/** A machine whose Talos API answers. */
export interface TalosReport {
  readonly state: 'answers';
  readonly address: string;
  /** undefined: the machine did not say. */
  readonly services: readonly TalosService[] | undefined;
  readonly etcd: EtcdReport | undefined;
  /** Why `etcd` is undefined. */
  readonly etcdWhy: string;
  /** As `v1.11.2`; undefined when that was not asked or not answered. */
  readonly version: string | undefined;
  /** Whether the disk holds data of etcd; undefined when that was not asked or not answered. */
  readonly hasData: boolean | undefined;
}

/** How a machine answered at the last look. */
export type TalosAnswer =
  | { readonly state: 'noAddress' }
  /** There are no credentials to ask with yet. */
  | { readonly state: 'noCredentials'; readonly why: string }
  | { readonly state: 'silent'; readonly address: string; readonly why: string }
  | TalosReport;

/** A Machine of the control plane and everything that is known of it. */
export interface ControlPlaneMachine {
  readonly name: string;
  readonly machine: Machine;
  readonly config: TalosConfig | undefined;
  readonly infrastructure: ProviderObject | undefined;
  readonly talos: TalosAnswer;
  /** The Node of the machine; undefined when there is none or nobody can tell. */
  readonly node: Node | undefined;
}

/** Whether machines can be made from the infrastructure template. */
export type TemplateState =
  | {
      readonly ok: true;
      readonly groupKind: string;
      /** The Cluster owns it, so that it is moved and deleted with it. */
      readonly isClaimed: boolean;
    }
  | { readonly ok: false; readonly why: string };

/** Everything that the next step of a control plane is decided from. */
export interface ControlPlaneObservation {
  readonly nowMs: number;
  readonly controlPlane: TalosControlPlane;
  /** The owner; undefined: none, or it is gone. */
  readonly cluster: Cluster | undefined;
  /** Sorted by age, the oldest first. */
  readonly machines: readonly ControlPlaneMachine[];
  /** Members of etcd that no machine is, and since when they were seen to be so. */
  readonly straysSince: ReadonlyMap<bigint, number>;
  readonly template: TemplateState;
  readonly workload: WorkloadState;
  /** All Nodes of the cluster; undefined while they were never listed. */
  readonly nodes: readonly Node[] | undefined;
}
