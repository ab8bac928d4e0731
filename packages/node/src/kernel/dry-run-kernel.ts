import type { Kernel, LinkChange } from './kernel.ts';
import { linkName, routeText, ruleText } from './object-names.ts';

/**
 * A kernel that can be looked at, and says what it would do instead of doing it. Keys are never said.
 *
 * @param print Called with one line for each change: `would add 10.0.0.5/24 to eth0`.
 */
export function dryRunKernel(kernel: Kernel, print: (line: string) => void): Kernel {
  const { view } = kernel;
  const on = (index: number): string => linkName(view, index);
  const would = async (what: string): Promise<void> => print(`would ${what}`);
  return {
    ...kernel,
    view,
    links: {
      create: ({ name, kind }) => would(`create ${name} (${kind})`),
      remove: (index) => would(`remove ${on(index)}`),
      change: (index, change) => would(`change ${on(index)}: ${changeText(change, on)}`),
    },
    addresses: {
      put: ({ linkIndex, address }) => would(`add ${address} to ${on(linkIndex)}`),
      remove: (linkIndex, address) => would(`remove ${address} from ${on(linkIndex)}`),
      announce: (linkIndex, address) => would(`announce ${address} on ${on(linkIndex)}`),
    },
    routes: {
      put: (route) => would(`add route ${routeText(view, route)}`),
      remove: (route) => would(`remove route ${routeText(view, route)}`),
    },
    rules: {
      add: (rule) => would(`add rule ${ruleText(rule)}`),
      remove: (rule) => would(`remove rule ${ruleText(rule)}`),
    },
    wireguard: {
      read: (name) => kernel.wireguard.read(name),
      create: (name) => would(`create ${name} (wireguard)`),
      configure: (name, { peers }) => would(`set up WireGuard of ${name} with changes of ${peers.length} peers`),
    },
    ethernet: {
      read: (link) => kernel.ethernet.read(link),
      change: ({ name }, change) => would(`set the card of ${name}: ${JSON.stringify(change)}`),
    },
  };
}

function changeText({ masterIndex, ...change }: LinkChange, on: (index: number) => string): string {
  const master = masterIndex === undefined ? {} : { master: masterIndex === 0 ? 'none' : on(masterIndex) };
  return Object.entries({ ...change, ...master })
    .map(([setting, value]) => `${setting} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');
}
