import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@bloomery/ports';
import { decodeRtnlLink, encodeLinkGet, RTM_NEWLINK } from '@bloomery/wire';
import { announceAddress } from './announce-address.ts';
import { readDriverInfo } from './driver-info.ts';
import { openEthtool } from './ethtool-client.ts';
import { keepSecondaries } from './keep-secondaries.ts';
import type { Kernel, KernelChange } from './kernel.ts';
import { errnoNumber, kernelRefused } from './kernel-error.ts';
import { followKernel } from './kernel-follower.ts';
import { readLinkDetails } from './link-details.ts';
import { linuxAddresses, linuxLinks, linuxRoutes, linuxRules } from './linux-changes.ts';
import { linuxWireguard } from './linux-wireguard.ts';
import { createLiveView, type LiveView } from './live-view.ts';
import { NETLINK_GENERIC, NETLINK_ROUTE, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';
import { createPciNameLookup } from './pci-names.ts';

/** What the kernel of this host is opened with. */
export interface KernelOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The daemon's folder: where the kernel has no WireGuard, control sockets and logs of wireguard-go are kept in `wireguard` in it. */
  readonly stateDir: string;
  /** Leave the devices of wireguard-go when it is disposed. */
  readonly leave?: boolean;
  /** Where `/sys` and `/usr` are; `/` unless given. */
  readonly root?: string;
}

const REQUEST_BUFFER_BYTES = 1024 * 1024;

/**
 * The network of this network namespace, over netlink. Disposing it ends what it follows and the devices of wireguard-go;
 * nothing else is undone.
 *
 * @throws BloomeryError BLM_KERNEL_UNANSWERED where there is no netlink
 */
export async function openKernel(options: KernelOptions): Promise<Kernel & AsyncDisposable> {
  const { clock, log, root = '/', leave = false } = options;
  const stateDir = join(options.stateDir, 'wireguard');
  const stack = new AsyncDisposableStack();
  const socket = (protocol: number) => openNetlinkSocket({ protocol, clock, receiveBufferBytes: REQUEST_BUFFER_BYTES });
  try {
    const requests = stack.use(await socket(NETLINK_ROUTE));
    const generic = stack.use(await socket(NETLINK_GENERIC));
    const inner = createLiveView();
    const view: LiveView = { ...inner, ...amending(inner, (name) => wireguard.isUserspace(name)) };
    const settled = (): Promise<void> => follower.settled();
    const send = async (what: string, request: Uint8Array): Promise<void> => {
      await requests.request(what, request);
      await settled();
    };
    const links = linuxLinks({ view, send, look: (index) => lookAtLink(requests, view, index) });
    const wireguard = linuxWireguard({
      clock,
      log,
      view,
      links,
      requests: generic,
      stateDir,
      settled,
      leave,
      show: view.putLink,
    });
    const follower = stack.use(await followKernel(view, { clock, log, requests }));
    const listeners = new Set<(change: KernelChange) => void>();
    const onChange = (linkIndex: number): void => {
      for (const listener of listeners) listener({ of: 'ethtool', linkIndex });
    };
    const ethtool = stack.use(await openEthtool({ clock, log, requests: generic, onChange }));
    const pciNames = createPciNameLookup(root);
    stack.use(wireguard);
    await wireguard.adopt();
    const announce = async (linkIndex: number, address: string): Promise<void> => {
      const link = view.links.get(linkIndex);
      if (link !== undefined) return announceAddress(link, address);
      throw kernelRefused(`announcing ${address} on link ${linkIndex}`, { errno: errnoNumber('ENODEV') });
    };
    return {
      view,
      listen: (listener) => {
        listeners.add(listener);
        const end = view.listen(listener);
        return () => {
          listeners.delete(listener);
          end();
        };
      },
      links: {
        ...links,
        remove: async (index) => {
          if (!(await wireguard.end(view.links.get(index)?.name ?? ''))) await links.remove(index);
        },
      },
      addresses: linuxAddresses({ view, send, keepSecondaries: keepSecondaries(requests, log), announce }),
      routes: linuxRoutes({ view, send }),
      rules: linuxRules({ view, send }),
      wireguard,
      ethernet: ethtool,
      linkDetails: (link) => readLinkDetails(link, { root, ethtool, pciNames, readDriver: readDriverInfo }),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Ask for one link: the kernel sends no message of some changes of links that are down, such as their aliases. */
async function lookAtLink(requests: NetlinkSocket, view: LiveView, index: number): Promise<void> {
  await requests.request(`looking at link ${index}`, encodeLinkGet(index), (bytes, { type, from, to }) => {
    const link = type === RTM_NEWLINK ? decodeRtnlLink(bytes, from, to) : undefined;
    if (link !== undefined && !isDeepStrictEqual(link, view.links.get(index))) view.putLink(link);
  });
}

/** The tunnels of wireguard-go are shown as what they are for. */
function amending(view: LiveView, isUserspace: (name: string) => boolean): Pick<LiveView, 'putLink' | 'replaceAll'> {
  const amend = <L extends { readonly name: string; readonly kind: string }>(link: L): L =>
    link.kind === 'tun' && isUserspace(link.name) ? { ...link, kind: 'wireguard' } : link;
  return {
    putLink: (link) => view.putLink(amend(link)),
    replaceAll: (all) => view.replaceAll({ ...all, links: [...all.links].map(amend) }),
  };
}
