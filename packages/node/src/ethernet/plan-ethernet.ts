import type { EthernetChange, EthernetState } from '../kernel/kernel.ts';
import { WOL_MODE } from '../resources/enumerations.ts';
import type { EthernetSpec } from '../resources/ethernet.ts';

/** What must be changed of a card so that it is as its spec says; undefined: nothing. Features count by what was asked for. */
export function planEthernet(spec: EthernetSpec, state: EthernetState): EthernetChange | undefined {
  const rings = differing(spec.rings, state.rings ?? {});
  const channels = differing(spec.channels, state.channels ?? {});
  const wanted = new Map(state.features.map((feature) => [feature.name, feature.fixed ? feature.on : feature.wanted]));
  const features = Object.fromEntries(Object.entries(spec.features).filter(([name, on]) => wanted.get(name) !== on));
  const bits = spec.wakeOnLan.reduce((sum, mode) => sum | (Object.hasOwn(WOL_MODE, mode) ? wakeBit(mode) : 0), 0);
  const isWoken = bits === 0 || bits === state.wakeOnLan;
  const change: EthernetChange = {
    ...(Object.keys(rings).length === 0 ? {} : { rings }),
    ...(Object.keys(features).length === 0 ? {} : { features }),
    ...(Object.keys(channels).length === 0 ? {} : { channels: numbersOf(channels) }),
    ...(isWoken ? {} : { wakeOnLan: bits }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function wakeBit(mode: string): number {
  return Object.entries(WOL_MODE).find(([name]) => name === mode)?.[1] ?? 0;
}

type Settings = Readonly<Record<string, number | boolean | undefined>>;

/** Those that are set and differ. */
function differing(wanted: Settings, present: Settings): Readonly<Record<string, number | boolean>> {
  const differs: Record<string, number | boolean> = {};
  for (const [name, value] of Object.entries(wanted))
    if (value !== undefined && present[name] !== value) differs[name] = value;
  return differs;
}

function numbersOf(settings: Readonly<Record<string, number | boolean>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, Number(value)]));
}
