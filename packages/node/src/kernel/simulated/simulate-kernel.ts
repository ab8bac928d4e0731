import type { Kernel, KernelLink } from '../kernel.ts';
import { createLiveView } from '../live-view.ts';
import { simulatedAddresses } from './simulated-addresses.ts';
import { simulatedEthernet } from './simulated-ethernet.ts';
import { createSimulatedHost } from './simulated-host.ts';
import { simulatedLinks } from './simulated-links.ts';
import { simulatedRoutes, simulatedRules } from './simulated-routes.ts';
import { simulatedWireguard } from './simulated-wireguard.ts';

/**
 * A kernel in memory that begins as the given one is now, and answers changes as Linux does. The given one is read, and never changed;
 * what becomes of it later is not seen.
 */
export function simulateKernel(real: Kernel): Kernel {
  const view = createLiveView();
  view.replaceAll({
    links: real.view.links.values(),
    addresses: real.view.addresses.values(),
    routes: real.view.routes.values(),
    rules: real.view.rules,
  });
  /** As the real one has them: under other names here, when they were renamed. */
  const known = new Map(real.view.links);
  const ofKnown = async <T>(link: KernelLink, read: (link: KernelLink) => Promise<T>, otherwise: T): Promise<T> => {
    const there = known.get(link.index);
    return there === undefined ? otherwise : read(there);
  };
  const host = createSimulatedHost(view);
  const links = simulatedLinks(host);
  const noCard = { ourModes: [], peerModes: [], features: [] };
  return {
    view,
    listen: view.listen,
    links,
    addresses: simulatedAddresses(host),
    routes: simulatedRoutes(host),
    rules: simulatedRules(host),
    wireguard: simulatedWireguard(host, links, (link) =>
      ofKnown(link, ({ name }) => real.wireguard.read(name), undefined),
    ),
    ethernet: simulatedEthernet((link) => ofKnown(link, (there) => real.ethernet.read(there), noCard)),
    linkDetails: (link) => ofKnown(link, (there) => real.linkDetails(there), {}),
    ...(real.entries === undefined ? {} : { entries: new Map(real.entries) }),
  };
}
