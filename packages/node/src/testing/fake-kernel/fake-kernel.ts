import type { EthernetChange, EthernetState, Kernel, KernelLink, LinkDetails } from '../../kernel/kernel.ts';
import { createLiveView } from '../../kernel/live-view.ts';
import { routeText, ruleText } from '../../kernel/object-names.ts';
import { simulatedAddresses } from '../../kernel/simulated/simulated-addresses.ts';
import { createSimulatedHost, IFF_LOOPBACK, nameOf, refusal, settle } from '../../kernel/simulated/simulated-host.ts';
import { addLink, dropLink, simulatedLinks } from '../../kernel/simulated/simulated-links.ts';
import { firstRules, simulatedRoutes, simulatedRules } from '../../kernel/simulated/simulated-routes.ts';
import { simulatedWireguard } from '../../kernel/simulated/simulated-wireguard.ts';

/** A network card that is put into the fake host. */
export type FakeCard = Partial<KernelLink> & { readonly name: string; readonly details?: LinkDetails };

/** A kernel in memory with the semantics of Linux, as far as the daemon relies on them. Begins with `lo`, which is down. */
export interface FakeKernel extends Kernel {
  /** Every change that was asked for, refused ones with ` !ERRNO` behind: `address.put eth0 10.0.0.1/24`. */
  readonly operations: readonly string[];
  /** Plug a card in; it is down, its cable is in. */
  plug(card: FakeCard): KernelLink;
  unplug(name: string): void;
  setCarrier(name: string, on: boolean): void;
  /** Refuse operations whose text holds this, so many times (always unless given). Returns the function that ends it. */
  refuse(text: string, errno: string, times?: number): () => void;
  /** Tell that messages were lost. */
  lose(): void;
  /** What EthernetSpecs set, by link. */
  readonly ethernetChanges: ReadonlyMap<string, EthernetChange>;
  /** What `ethernet.read` answers for this link. */
  setEthernet(name: string, state: EthernetState): void;
}

interface Fault {
  readonly text: string;
  readonly errno: string;
  times: number;
}

/** Make one. */
export function createFakeKernel(): FakeKernel {
  const view = createLiveView();
  const host = createSimulatedHost(view);
  addLink(host, {
    ...{ name: 'lo', index: 1, type: 772, flags: IFF_LOOPBACK, mtu: 65_536, operationalState: 0 },
    ...{ hardwareAddr: '00:00:00:00:00:00', broadcastAddr: '00:00:00:00:00:00' },
  });
  for (const rule of firstRules()) view.putRule(rule);

  const operations: string[] = [];
  const faults: Fault[] = [];
  /** Write it down, refuse it if a fault says so, else do it. */
  const run = async <T>(operation: string, act: () => Promise<T>): Promise<T> => {
    const fault = faults.find(({ text, times }) => times > 0 && operation.includes(text));
    // As with the real one, nothing has happened when the caller goes on.
    await Promise.resolve();
    if (fault !== undefined) {
      fault.times--;
      operations.push(`${operation} !${fault.errno}`);
      throw refusal(operation, fault.errno);
    }
    try {
      const done = await act();
      operations.push(operation);
      return done;
    } catch (error) {
      operations.push(`${operation} !${String((error as { facts?: { errno?: string } }).facts?.errno)}`);
      throw error;
    }
  };
  const on = (index: number): string => nameOf(host, index);
  const links = simulatedLinks(host);
  const addresses = simulatedAddresses(host);
  const routes = simulatedRoutes(host);
  const rules = simulatedRules(host);
  const wireguard = simulatedWireguard(host, links, async () => undefined);
  const ethernet = new Map<string, EthernetState>();
  const ethernetChanges = new Map<string, EthernetChange>();
  return {
    view,
    listen: view.listen,
    links: {
      create: (link) => run(`link.create ${link.name} ${link.kind}`, () => links.create(link)),
      remove: (index) => run(`link.remove ${on(index)}`, () => links.remove(index)),
      change: (index, change) =>
        run(`link.change ${on(index)} ${changeText(change)}`, () => links.change(index, change)),
    },
    addresses: {
      put: (address) => run(`address.put ${on(address.linkIndex)} ${address.address}`, () => addresses.put(address)),
      remove: (index, address) => run(`address.remove ${on(index)} ${address}`, () => addresses.remove(index, address)),
      announce: (index, address) =>
        run(`address.announce ${on(index)} ${address}`, () => addresses.announce(index, address)),
    },
    routes: {
      put: (route) => run(`route.put ${routeText(view, route)}`, () => routes.put(route)),
      remove: (route) => run(`route.remove ${routeText(view, route)}`, () => routes.remove(route)),
    },
    rules: {
      add: (rule) => run(`rule.add ${ruleText(rule)}`, () => rules.add(rule)),
      remove: (rule) => run(`rule.remove ${ruleText(rule)}`, () => rules.remove(rule)),
    },
    wireguard: {
      create: (name) => run(`wireguard.create ${name}`, () => wireguard.create(name)),
      read: wireguard.read,
      configure: (name, patch) => run(`wireguard.configure ${name}`, () => wireguard.configure(name, patch)),
    },
    ethernet: {
      read: async ({ name }) => ethernet.get(name) ?? { ourModes: [], peerModes: [], features: [] },
      change: (link, change) =>
        run(`ethernet.change ${link.name}`, async () => void ethernetChanges.set(link.name, change)),
    },
    linkDetails: async (link) => host.details.get(link.index) ?? {},
    operations,
    plug: ({ details, ...card }) => {
      const link = addLink(host, card);
      const permanentAddr = card.permanentAddr ?? link.hardwareAddr;
      if (details !== undefined) host.details.set(link.index, details);
      const plugged = { ...link, permanentAddr };
      view.putLink(plugged);
      return plugged;
    },
    unplug: (name) => dropLink(host, view.linkByName(name)?.index ?? 0),
    setCarrier: (name, isThere) => {
      const index = view.linkByName(name)?.index ?? 0;
      host.carriers.set(index, isThere);
      settle(host, index);
    },
    refuse: (text, errno, times = Number.POSITIVE_INFINITY) => {
      const fault = { text, errno, times };
      faults.push(fault);
      return () => {
        fault.times = 0;
      };
    },
    lose: () =>
      view.replaceAll({
        links: [...view.links.values()],
        addresses: [...view.addresses.values()],
        routes: [...view.routes.values()],
        rules: [...view.rules],
      }),
    ethernetChanges,
    setEthernet: (name, state) => void ethernet.set(name, state),
  };
}

/** `up=true mtu=1400`. */
function changeText(change: object): string {
  return Object.entries(change)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ');
}
