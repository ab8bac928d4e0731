import type { Controller } from '@bloomery/cosi';
import { DUPLEX, PORT, WOL_MODE } from '../../resources/enumerations.ts';
import { EthernetStatus } from '../../resources/ethernet.ts';
import type { EthernetFeature, EthernetState, Kernel, KernelChange } from '../kernel.ts';
import { deltaController } from './delta-controller.ts';
import { nameOfNumber, namesOfBits } from './named-numbers.ts';

type Rings = NonNullable<EthernetStatus['rings']>;
type Channels = NonNullable<EthernetStatus['channels']>;

const DUPLEX_UNKNOWN = 255;

/** Settings of network cards as ethtool shows them: id is the link's name. Links that ethtool knows nothing of have none. */
export function ethernetStatusController(kernel: Kernel): Controller {
  const isOther = createStateWatch();
  return deltaController({
    name: 'network.EthernetStatusController',
    definition: EthernetStatus,
    kernel,
    all: (view) => [...view.links.keys()].map(String),
    touchedBy: (change, view) => {
      if (change.of !== 'ethtool') return isOther(change) && change.of === 'link' ? [String(change.link.index)] : [];
      return change.linkIndex === 0 ? [...view.links.keys()].map(String) : [String(change.linkIndex)];
    },
    show: async (key, view) => {
      const link = view.links.get(Number(key));
      const state = link === undefined ? undefined : await kernel.ethernet.read(link);
      if (link === undefined || state?.port === undefined) return undefined;
      return { id: link.name, spec: ethernetStatusSpec(state) };
    },
  });
}

/** What the status of a card shows. */
export function ethernetStatusSpec(state: EthernetState): EthernetStatus {
  const { rings, channels, wakeOnLan } = state;
  const all = EthernetStatus.make();
  return {
    ...all,
    linkState: state.linkState,
    speedMbit: state.speedMbit ?? 0,
    port: nameOfNumber(PORT, state.port ?? 0),
    duplex: nameOfNumber(DUPLEX, state.duplex ?? DUPLEX_UNKNOWN),
    ourModes: state.ourModes,
    peerModes: state.peerModes,
    rings: rings === undefined ? undefined : (withAll(RINGS, rings) as Rings),
    features: state.features.map((feature) => ({ name: feature.name, status: featureText(feature) })),
    channels: channels === undefined ? undefined : (withAll(CHANNELS, channels) as Channels),
    wakeOnLAN: wakeOnLan === undefined ? [] : namesOfBits(WOL_MODE, wakeOnLan),
  };
}

const RINGS: readonly (keyof Rings)[] = [
  ...(['rx-max', 'rx-mini-max', 'rx-jumbo-max', 'tx-max', 'tx-push-buf-len-max'] as const),
  ...(['rx', 'rx-mini', 'rx-jumbo', 'tx', 'rx-buf-len', 'cqe-size'] as const),
  ...(['tx-push', 'rx-push', 'tx-push-buf-len', 'tcp-data-split'] as const),
];
const CHANNELS: readonly (keyof Channels)[] = [
  ...(['rx-max', 'tx-max', 'other-max', 'combined-max'] as const),
  ...(['rx', 'tx', 'other', 'combined'] as const),
];

/** As `ethtool -k` prints it. */
function featureText({ on, fixed, wanted }: EthernetFeature): string {
  const state = on ? 'on' : 'off';
  if (fixed) return `${state} [fixed]`;
  return on === wanted ? state : `${state} [requested ${wanted ? 'on' : 'off'}]`;
}

function withAll(names: readonly string[], values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

/** Most messages about a link say nothing that ethtool would tell differently afterwards. */
function createStateWatch(): (change: KernelChange) => boolean {
  const states = new Map<number, string>();
  return (change) => {
    // Links may have gone unheard.
    if (change.of === 'all') states.clear();
    if (change.of !== 'link') return false;
    const { gone, link } = change;
    const { index, name, flags, operationalState } = link;
    const state = `${name}/${flags}/${operationalState}`;
    const isOther = gone || states.get(index) !== state;
    if (gone) states.delete(index);
    else states.set(index, state);
    return isOther;
  };
}
