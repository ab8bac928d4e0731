import type { JsonObject, KubeObject, OwnerReference } from '@bloomery/model';
import { LABELS } from '@bloomery/model';
import { controllerReference, ownerReference } from './owner-reference.ts';

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
 * there stays: what a user has set wins. Only an owner of our name with another uid is mended: after a restore the garbage
 * collector would take the object for an orphan.
 */
export function claimPatch(object: KubeObject, { owner, clusterName, asController }: Claim): JsonObject | undefined {
  const { ownerReferences = [], labels = {}, deletionTimestamp } = object.metadata;
  const stale = ownerReferences.find((o) => isSameObject(o, owner) && o.uid !== owner.metadata.uid);
  const isTaken = ownerReferences.some((o) => o.controller === true || isSameKind(o, owner));
  const isLabelled = labels[LABELS.clusterName] !== undefined;
  const wanted = asController ? controllerReference(owner) : ownerReference(owner);
  const mended =
    stale !== undefined && owner.metadata.uid !== undefined && deletionTimestamp === undefined
      ? ownerReferences.map((o) => (o === stale ? { ...o, apiVersion: wanted.apiVersion, uid: wanted.uid } : o))
      : isTaken
        ? undefined
        : [...ownerReferences, wanted];
  if (mended === undefined && isLabelled) return undefined;
  return {
    metadata: {
      ...(isLabelled ? {} : { labels: { [LABELS.clusterName]: clusterName } }),
      ...(mended === undefined ? {} : { ownerReferences: mended.map((o) => ({ ...o })) }),
    },
  };
}

/** Is the object owned by objects of this kind, of which `owner` is none? */
export function isClaimedByAnother(object: KubeObject, owner: KubeObject): boolean {
  const owners = (object.metadata.ownerReferences ?? []).filter((o) => isSameKind(o, owner));
  return owners.length > 0 && owners.every((o) => o.name !== owner.metadata.name);
}

function isSameKind(reference: OwnerReference, owner: KubeObject): boolean {
  return reference.kind === owner.kind;
}

function isSameObject(reference: OwnerReference, owner: KubeObject): boolean {
  return isSameKind(reference, owner) && reference.name === owner.metadata.name;
}
