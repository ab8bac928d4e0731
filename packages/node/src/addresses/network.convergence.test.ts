import { AddressSpec, RouteSpec, RoutingRuleSpec } from '../resources/index.ts';
import { type Disturbance, describeConvergence } from '../testing/describe-convergence.ts';
import { anyNetworkChoice, configOfChoice, decidedNetwork, twoCardHost } from './testing/network-choice.ts';
import { startNetworkWorld } from './testing/network-world.ts';

/** Take away the first of what is there that is not the kernel's own. */
const removeRoute: Disturbance = async ({ view, routes }) => {
  const [route] = [...view.routes.values()].filter(({ protocol }) => protocol !== 2);
  if (route !== undefined) await routes.remove(route);
};

describeConvergence('addresses, routes and rules', {
  anyChoice: anyNetworkChoice,
  configOf: configOfChoice,
  host: twoCardHost,
  start: (kernel, config) => startNetworkWorld(kernel, config),
  decided: async (kernel) => decidedNetwork(kernel),
  definitions: [AddressSpec, RouteSpec, RoutingRuleSpec],
  refused: {
    texts: ['address.put', 'address.remove', 'route.put', 'route.remove', 'rule', 'eth0', '10.0.0'],
    errnos: ['EBUSY', 'EEXIST', 'EINVAL', 'ENETUNREACH', 'ENOMEM'],
  },
  disturbances: {
    'eth0 is taken out': async (kernel) => {
      kernel.unplug('eth0');
      await kernel.links.change(kernel.plug({ name: 'eth0' }).index, { up: true });
    },
    'eth1 goes down and up': async ({ view, links }) => {
      const index = view.linkByName('eth1')?.index ?? 0;
      for (const up of [false, true]) await links.change(index, { up });
    },
    'an address is removed': async ({ view, addresses }) => {
      const found = [...view.addresses.values()].find(({ address }) => address.startsWith('10.0.0.5'));
      if (found !== undefined) await addresses.remove(found.linkIndex, found.address);
    },
    'a route is removed': removeRoute,
    'rules are removed': async ({ view, rules }) => {
      for (const rule of [...view.rules]) if (rule.priority > 0 && rule.priority < 32_766) await rules.remove(rule);
    },
    'news are lost': async (kernel) => kernel.lose(),
  },
});
