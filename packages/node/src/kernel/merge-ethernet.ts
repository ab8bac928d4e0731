import type { EthernetChange } from './kernel.ts';

/** Both changes in one; where they differ, the second counts. */
export function mergeEthernet(first: EthernetChange, second: EthernetChange): EthernetChange {
  return {
    ...first,
    ...second,
    ...(first.rings === undefined ? {} : { rings: { ...first.rings, ...second.rings } }),
    ...(first.features === undefined ? {} : { features: { ...first.features, ...second.features } }),
    ...(first.channels === undefined ? {} : { channels: { ...first.channels, ...second.channels } }),
  };
}
