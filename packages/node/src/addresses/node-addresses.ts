import { isSiderolinkAddress } from '@bloomery/siderolink';
import { SERVICE_ADDRESS, SERVICE_ADDRESS_V6 } from '../host-dns/host-dns-address.ts';
import {
  type IpAddress,
  type IpPrefix,
  isLinkLocal,
  isLoopback,
  isMulticast,
  parsePrefix,
  prefixContains,
} from '../ip/ip-prefix.ts';
import { compareTexts } from '../layers/compare-texts.ts';
import type { AddressStatus } from '../resources/addresses.ts';
import { SCOPE } from '../resources/enumerations.ts';
import type { LinkStatus } from '../resources/links.ts';
import { numberOf } from '../resources/number-of.ts';
import { addressOrder } from './address-order.ts';

/** Where the host's own name server answers to pods: nobody else can reach it there. */
const HOST_DNS_ADDRESSES: ReadonlySet<string> = new Set([SERVICE_ADDRESS, SERVICE_ADDRESS_V6]);
const KUBESPAN_LINK = 'kubespan';
/** Hosts with temporary addresses have had very many in the end: so many former ones are told at most. */
const FORMER_MAX = 1000;

/** The addresses of a node, as CIDR texts in their order. */
export interface NodeAddresses {
  /** The one that stands for the node; undefined while it has none. */
  readonly default: string | undefined;
  /** Of links that can carry packets. */
  readonly current: readonly string[];
  /** Of those, the ones that lead to the node without an overlay (SideroLink, KubeSpan). */
  readonly routed: readonly string[];
  /** Every one that it has had. */
  readonly accumulative: readonly string[];
}

export interface NodeAddressInput {
  readonly addresses: readonly AddressStatus[];
  readonly links: readonly LinkStatus[];
  readonly algorithm: string;
  /** What was found last time. */
  readonly before: { readonly default: string | undefined; readonly accumulative: readonly string[] };
}

interface OwnAddress {
  readonly prefix: IpPrefix;
  readonly linkName: string;
  readonly isUp: boolean;
  readonly isOverlay: boolean;
}

/** Work out which addresses a node has. Loopback, multicast, link-local and the host's name server are none of them. Pure. */
export function nodeAddresses({ addresses, links, algorithm, before }: NodeAddressInput): NodeAddresses {
  const order = addressOrder(algorithm === 'v2' ? 'v2' : 'v1');
  const carrying = new Set(links.filter(canCarry).map(({ index }) => index));
  const own = addresses.flatMap((status) => ownAddress(status, carrying));
  own.sort((a, b) => compareTexts(a.linkName, b.linkName) || order(a.prefix, b.prefix));
  const sorted = (of: readonly OwnAddress[]): readonly string[] => [
    ...new Set(
      of
        .map(({ prefix }) => prefix)
        .toSorted(order)
        .map(({ text }) => text),
    ),
  ];
  const up = own.filter(({ isUp }) => isUp);
  const present = own.map(({ prefix }) => prefix);
  const former = before.accumulative.flatMap((text) => parsePrefix(text) ?? []).slice(0, FORMER_MAX);
  return {
    default: defaultAddress(own, before.default),
    current: sorted(up),
    routed: sorted(up.filter(({ isOverlay }) => !isOverlay)),
    accumulative: [...new Set([...former, ...present].toSorted(order).map(({ text }) => text))],
  };
}

/** Those that lie in one of the included networks (any, when there are none) and in none of the excluded ones. */
export function filterAddresses(
  addresses: readonly string[],
  { includeSubnets, excludeSubnets }: { includeSubnets: readonly string[]; excludeSubnets: readonly string[] },
): readonly string[] {
  const within = (networks: readonly string[]) => {
    const parsed = networks.flatMap((text) => parsePrefix(text) ?? []);
    return ({ address }: IpPrefix): boolean => parsed.some((network) => prefixContains(network, address));
  };
  const [isIncluded, isExcluded] = [within(includeSubnets), within(excludeSubnets)];
  return addresses.filter((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) return false;
    return (includeSubnets.length === 0 || isIncluded(prefix)) && !isExcluded(prefix);
  });
}

/** The first one stays for as long as the node has it; what carries goes before what does not, and overlays come last. */
function defaultAddress(own: readonly OwnAddress[], before: string | undefined): string | undefined {
  const byWorth = [
    own.filter(({ isUp, isOverlay }) => isUp && !isOverlay),
    own.filter(({ isOverlay }) => !isOverlay),
    own.filter(({ isUp }) => isUp),
    own,
  ];
  const best = byWorth.find((some) => some.length > 0) ?? [];
  return (best.find(({ prefix }) => prefix.text === before) ?? best[0])?.prefix.text;
}

function ownAddress(status: AddressStatus, carrying: ReadonlySet<number>): readonly OwnAddress[] {
  const { address: text, linkName, linkIndex, scope } = status;
  const prefix = parsePrefix(text);
  if (prefix === undefined || numberOf(SCOPE, scope) >= SCOPE.link || isForNobodyElse(prefix.address)) return [];
  const isOverlay = isSiderolinkAddress(prefix.address.text) || linkName === KUBESPAN_LINK;
  return [{ prefix, linkName, isUp: carrying.has(linkIndex), isOverlay }];
}

function isForNobodyElse(address: IpAddress): boolean {
  return isLoopback(address) || isMulticast(address) || isLinkLocal(address) || HOST_DNS_ADDRESSES.has(address.text);
}

/** Hardware that does not know its state has to have a carrier. */
function canCarry({ operationalState, type, kind, linkState }: LinkStatus): boolean {
  const isPhysical = type === 'ether' && kind === '';
  return operationalState === 'up' || (operationalState === 'unknown' && (!isPhysical || linkState));
}
