import { CONFIG_LAYER } from '../resources/enumerations.ts';

/** Where a spec comes from; later names win over earlier ones. */
export type ConfigLayer = keyof typeof CONFIG_LAYER;

/** Under which id a spec of one layer stands in `network-config`. Operators put their own id in front: `dhcp4/eth0/…`. */
export const layeredId = (layer: ConfigLayer, id: string): string => `${layer}/${id}`;

/** Rank of the layer that a spec names: higher wins. Unknown ones rank lowest. */
export function layerRank(spec: { readonly layer: string }): number {
  const ranks: Readonly<Record<string, number>> = CONFIG_LAYER;
  return Object.hasOwn(ranks, spec.layer) ? (ranks[spec.layer] ?? -1) : -1;
}
