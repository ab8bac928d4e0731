import {
  encodeAddressRemoval,
  encodeAltNames,
  encodeLinkChange,
  encodeLinkRemoval,
  encodeNewAddress,
  encodeNewLink,
  encodeNewRoute,
  encodeNewRule,
  encodeRouteRemoval,
  encodeRuleRemoval,
} from '@bloomery/wire';
import { maskedPrefix, parsePrefix } from '../ip/ip-prefix.ts';
import { newAddress } from './journal-entry.ts';
import type { KeepSecondaries } from './keep-secondaries.ts';
import type {
  KernelAddress,
  KernelAddresses,
  KernelLinks,
  KernelRoutes,
  KernelRules,
  KernelView,
  LinkChange,
} from './kernel.ts';
import { addressKey, routeKey } from './kernel-keys.ts';
import { linkName, routeText, ruleText } from './object-names.ts';

/** Of IPv4. */
const IFA_F_SECONDARY = 0x1;

/** Sends a request; resolves when the view shows what came of it. */
export type SendRequest = (what: string, request: Uint8Array) => Promise<void>;

/** What changing needs. */
export interface ChangeDeps {
  readonly view: KernelView;
  readonly send: SendRequest;
}

/** What changing links needs. */
export interface LinkChangeDeps extends ChangeDeps {
  /** Ask for a link, and bring what differs into the view. */
  readonly look: (index: number) => Promise<void>;
}

/** Changes to links over rtnetlink. */
export function linuxLinks({ view, send, look }: LinkChangeDeps): KernelLinks {
  return {
    create: (link) => send(`creating ${link.name} (${link.kind})`, encodeNewLink(link)),
    remove: (index) => send(`removing ${linkName(view, index)}`, encodeLinkRemoval(index)),
    change: async (index, change) => {
      for (const [what, request] of linkRequests(view, index, change)) await send(what, request);
      await look(index);
    },
  };
}

/** One request for each setting, so that a refusal names it: down first, up last. */
function linkRequests(view: KernelView, index: number, change: LinkChange): readonly [string, Uint8Array][] {
  const name = linkName(view, index);
  const kind = view.links.get(index)?.kind ?? '';
  const one = (what: string, part: LinkChange): [string, Uint8Array] => [what, encodeLinkChange(index, kind, part)];
  const { up, hardwareAddr, mtu, alias, bond, bridge, multicast, masterIndex } = change;
  const names = (list: readonly string[], remove: boolean): [string, Uint8Array][] =>
    list.map((alt) => [
      `${remove ? 'taking' : 'giving'} ${name} the alternative name ${alt}`,
      encodeAltNames(index, [alt], remove),
    ]);
  const master = masterIndex === 0 ? 'its master' : linkName(view, masterIndex ?? 0);
  return [
    ...(up === false ? [one(`bringing ${name} down`, { up })] : []),
    ...(hardwareAddr === undefined ? [] : [one(`setting the address of ${name} to ${hardwareAddr}`, { hardwareAddr })]),
    ...(mtu === undefined ? [] : [one(`setting the MTU of ${name} to ${mtu}`, { mtu })]),
    ...(change.name === undefined ? [] : [one(`renaming ${name} to ${change.name}`, { name: change.name })]),
    ...(alias === undefined ? [] : [one(`setting the alias of ${name} to ${JSON.stringify(alias)}`, { alias })]),
    ...names(change.removeAltNames ?? [], true),
    ...names(change.addAltNames ?? [], false),
    ...(bond === undefined ? [] : [one(`changing the bond ${name}`, { bond })]),
    ...(bridge === undefined ? [] : [one(`changing the bridge ${name}`, { bridge })]),
    ...(multicast === undefined
      ? []
      : [one(`switching multicast of ${name} ${multicast ? 'on' : 'off'}`, { multicast })]),
    ...(masterIndex === undefined
      ? []
      : [
          one(masterIndex === 0 ? `releasing ${name} from ${master}` : `enslaving ${name} to ${master}`, {
            masterIndex,
          }),
        ]),
    ...(up === true ? [one(`bringing ${name} up`, { up })] : []),
  ];
}

/** What changing addresses needs. */
export interface AddressChangeDeps extends ChangeDeps {
  readonly keepSecondaries: KeepSecondaries;
  readonly announce: KernelAddresses['announce'];
}

/** Changes to addresses over rtnetlink. */
export function linuxAddresses({ view, send, keepSecondaries, announce }: AddressChangeDeps): KernelAddresses {
  return {
    put: (address) => {
      const isThere = view.addresses.has(addressKey(address));
      const on = linkName(view, address.linkIndex);
      const what = isThere ? `changing ${address.address} on ${on}` : `adding ${address.address} to ${on}`;
      return send(what, encodeNewAddress(address));
    },
    remove: async (linkIndex, address) => {
      const on = linkName(view, linkIndex);
      const others = dependents(view, linkIndex, address);
      const removeIt = (): Promise<void> =>
        send(`removing ${address} from ${on}`, encodeAddressRemoval(linkIndex, address));
      if (others.length === 0) return removeIt();
      await keepSecondaries(linkIndex, removeIt);
      for (const other of others)
        if (!view.addresses.has(addressKey(other)))
          await send(`putting ${other.address} back on ${on}`, encodeNewAddress(newAddress(other)));
    },
    announce,
  };
}

/** Addresses of the same IPv4 network that came later: the kernel removes them with the first one, unless told otherwise. */
function dependents({ addresses }: KernelView, linkIndex: number, address: string): readonly KernelAddress[] {
  const first = addresses.get(addressKey({ linkIndex, address }));
  const network = networkText(address);
  if (first === undefined || (first.flags & IFA_F_SECONDARY) !== 0 || network === undefined) return [];
  return [...addresses.values()].filter(
    (other) =>
      other.linkIndex === linkIndex &&
      other.peer === undefined &&
      (other.flags & IFA_F_SECONDARY) !== 0 &&
      networkText(other.address) === network,
  );
}

/** undefined of IPv6, which knows no such thing. */
function networkText(address: string): string | undefined {
  const prefix = parsePrefix(address);
  return prefix?.address.family === 'inet4' ? maskedPrefix(prefix).text : undefined;
}

/** Changes to routes over rtnetlink. */
export function linuxRoutes({ view, send }: ChangeDeps): KernelRoutes {
  return {
    put: (route) =>
      send(`adding route ${routeText(view, route)}`, encodeNewRoute(route, view.routes.has(routeKey(route)))),
    remove: (route) => send(`removing route ${routeText(view, route)}`, encodeRouteRemoval(route)),
  };
}

/** Changes to rules over rtnetlink. */
export function linuxRules({ send }: ChangeDeps): KernelRules {
  return {
    add: (rule) => send(`adding rule ${ruleText(rule)}`, encodeNewRule(rule)),
    remove: (rule) => send(`removing rule ${ruleText(rule)}`, encodeRuleRemoval(rule)),
  };
}
