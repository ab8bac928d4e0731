import type { Cluster, KubeObject } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';

/**
 * Is the object to be left alone: its Cluster is paused, or it carries the annotation of Cluster API or ours, or the one of
 * `clusterctl move`, which deletes what it has copied elsewhere?
 */
export function isPaused(object: KubeObject, cluster: Cluster | undefined): boolean {
  const annotations = object.metadata.annotations ?? {};
  return (
    cluster?.spec?.paused === true ||
    Object.hasOwn(annotations, ANNOTATIONS.capiPaused) ||
    Object.hasOwn(annotations, ANNOTATIONS.pause) ||
    Object.hasOwn(annotations, ANNOTATIONS.deleteForMove)
  );
}
