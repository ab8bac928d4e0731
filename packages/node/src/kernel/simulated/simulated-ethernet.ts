import type { EthernetChange, EthernetState, KernelEthernet, KernelLink } from '../kernel.ts';
import { mergeEthernet } from '../merge-ethernet.ts';

/**
 * Network cards that take whatever they are told.
 *
 * @param readFirst How a card is before it is told anything.
 */
export function simulatedEthernet(readFirst: (link: KernelLink) => Promise<EthernetState>): KernelEthernet {
  const changes = new Map<number, EthernetChange>();
  return {
    read: async (link) => changed(await readFirst(link), changes.get(link.index) ?? {}),
    change: async ({ index }, change) => void changes.set(index, mergeEthernet(changes.get(index) ?? {}, change)),
  };
}

function changed(state: EthernetState, { rings, channels, features = {}, wakeOnLan }: EthernetChange): EthernetState {
  return {
    ...state,
    ...(rings === undefined ? {} : { rings: { ...state.rings, ...rings } }),
    ...(channels === undefined ? {} : { channels: { ...state.channels, ...channels } }),
    ...(wakeOnLan === undefined ? {} : { wakeOnLan }),
    features: state.features.map((feature) => {
      const wanted = features[feature.name] ?? feature.wanted;
      return { ...feature, wanted, on: feature.fixed ? feature.on : wanted };
    }),
  };
}
