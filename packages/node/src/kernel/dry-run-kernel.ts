import { errorText } from '@bloomery/ports';
import type { Kernel, LinkChange, NewAddress } from './kernel.ts';
import { addressKey, routeKey } from './kernel-keys.ts';
import { linkName, routeText, ruleText } from './object-names.ts';
import { simulateKernel } from './simulated/simulate-kernel.ts';

/** A kernel that is only looked at. */
export interface DryRunKernel extends Kernel {
  /** What was asked for, refused, and not done since: how the kernel would say so. */
  refusals(): readonly string[];
}

/**
 * A kernel that says what it would do instead of doing it, and goes on as if it had: what follows from a change is asked of it, too. The
 * given one is never changed. Keys are never said.
 *
 * @param print Called with one line for each change: `would add 10.0.0.5/24 to eth0`.
 */
export function dryRunKernel(kernel: Kernel, print: (line: string) => void): DryRunKernel {
  const simulated = simulateKernel(kernel);
  const { view, links, addresses, routes, rules, wireguard, ethernet } = simulated;
  const refused = new Map<string, string>();
  const on = (index: number): string => linkName(view, index);
  const addressText = (given: NewAddress): string =>
    view.addresses.has(addressKey(given))
      ? `change ${given.address} on ${on(given.linkIndex)}`
      : `add ${given.address} to ${on(given.linkIndex)}`;
  const would = async (what: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      refused.set(what, errorText(error));
      throw error;
    }
    refused.delete(what);
    print(`would ${what}`);
  };
  return {
    ...simulated,
    links: {
      create: (link) => would(`create ${link.name} (${link.kind})`, () => links.create(link)),
      remove: (index) => would(`remove ${on(index)}`, () => links.remove(index)),
      change: (index, change) =>
        would(`change ${on(index)}: ${changeText(change, on)}`, () => links.change(index, change)),
    },
    addresses: {
      put: (address) => would(addressText(address), () => addresses.put(address)),
      remove: (index, address) => would(`remove ${address} from ${on(index)}`, () => addresses.remove(index, address)),
      announce: (index, address) =>
        would(`announce ${address} on ${on(index)}`, () => addresses.announce(index, address)),
    },
    routes: {
      put: (route) =>
        would(`${view.routes.has(routeKey(route)) ? 'change' : 'add'} route ${routeText(view, route)}`, () =>
          routes.put(route),
        ),
      remove: (route) => would(`remove route ${routeText(view, route)}`, () => routes.remove(route)),
    },
    rules: {
      add: (rule) => would(`add rule ${ruleText(rule)}`, () => rules.add(rule)),
      remove: (rule) => would(`remove rule ${ruleText(rule)}`, () => rules.remove(rule)),
    },
    wireguard: {
      read: (name) => wireguard.read(name),
      create: (name) => would(`create ${name} (wireguard)`, () => wireguard.create(name)),
      configure: (name, patch) =>
        would(`set up WireGuard of ${name} with changes of ${patch.peers.length} peers`, () =>
          wireguard.configure(name, patch),
        ),
    },
    ethernet: {
      read: (link) => ethernet.read(link),
      change: (link, change) =>
        would(`set the card of ${link.name}: ${JSON.stringify(change)}`, () => ethernet.change(link, change)),
    },
    refusals: () => [...refused.values()],
  };
}

function changeText({ masterIndex, ...change }: LinkChange, on: (index: number) => string): string {
  const master = masterIndex === undefined ? {} : { master: masterIndex === 0 ? 'none' : on(masterIndex) };
  return Object.entries({ ...change, ...master })
    .map(([setting, value]) => `${setting} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');
}
