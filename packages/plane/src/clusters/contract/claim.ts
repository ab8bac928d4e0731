import type { JsonObject, KubeObject, OwnerReference } from '@bloomery/model';
import { LABELS } from '@bloomery/model';

/** Who claims an object. */
export interface Claim {
  readonly owner: KubeObject;
  readonly clusterName: string;
  /** Claim it as its controller; otherwise only as an owner, where nobody controls it. */
  readonly asController: boolean;
}

/**
 * The patch that makes `owner` an owner of the object and labels it with its cluster; undefined when nothing is to do.
 * An object that somebody already controls, or that already has an owner of this kind, keeps its owners; a label that is
 * there stays: what a user has set wins.
 */
export function claimPatch(object: KubeObject, { owner, clusterName, asController }: Claim): JsonObject | undefined {
  const { ownerReferences = [], labels = {} } = object.metadata;
  const isTaken = ownerReferences.some((o) => o.controller === true || o.kind === owner.kind);
  const isLabelled = labels[LABELS.clusterName] !== undefined;
  if (isTaken && isLabelled) return undefined;
  return {
    metadata: {
      ...(isLabelled ? {} : { labels: { [LABELS.clusterName]: clusterName } }),
      ...(isTaken
        ? {}
        : { ownerReferences: [...ownerReferences, referenceTo(owner, asController)].map((o) => ({ ...o })) }),
    },
  };
}

function referenceTo(owner: KubeObject, asController: boolean): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    ...(asController ? { controller: true, blockOwnerDeletion: true } : {}),
  };
}
