import type { Clock, Logger } from '@bloomery/ports';
import { errorText } from '@bloomery/ports';
import {
  decodeChannels,
  decodeFamily,
  decodeFeatures,
  decodeLinkInfo,
  decodeLinkModes,
  decodeLinkState,
  decodeRings,
  decodeWol,
  ETHTOOL_MSG_CHANNELS_GET,
  ETHTOOL_MSG_FEATURES_GET,
  ETHTOOL_MSG_LINKINFO_GET,
  ETHTOOL_MSG_LINKMODES_GET,
  ETHTOOL_MSG_LINKSTATE_GET,
  ETHTOOL_MSG_RINGS_GET,
  ETHTOOL_MSG_WOL_GET,
  eachNetlinkMessage,
  encodeEthtoolChange,
  encodeEthtoolGet,
  encodeFamilyRequest,
  ethtoolLinkIndex,
  type GenlFamily,
  NetlinkBytes,
} from '@bloomery/wire';
import type { EthernetState, KernelEthernet, KernelLink } from './kernel.ts';
import { NETLINK_GENERIC, type NetlinkRequests, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';

/** ethtool over generic netlink. */
export interface EthtoolClient extends KernelEthernet, Disposable {
  /** State, speed, duplex and port only: what a link's status shows. */
  readLink(link: KernelLink): Promise<Pick<EthernetState, 'linkState' | 'speedMbit' | 'port' | 'duplex'>>;
}

/** What it needs. */
export interface EthtoolDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly requests: NetlinkRequests;
  /** Called with the index of a link whose settings changed; 0 when it is not known which. */
  readonly onChange: (linkIndex: number) => void;
}

const NEWS_BUFFER_BYTES = 256 * 1024;
const MONITOR = 'monitor';

/** Find ethtool's family and follow its news. Kernels before 5.6 have none: then nothing is known, and changes are refused. */
export async function openEthtool(deps: EthtoolDeps): Promise<EthtoolClient> {
  const { requests } = deps;
  const family = await findFamily(requests, 'ethtool').catch(() => undefined);
  const group = family?.groups.get(MONITOR);
  const news = group === undefined ? undefined : await follow(deps, group);
  /** undefined: the card does not have this. */
  const ask = async <T>(
    link: KernelLink,
    command: number,
    decode: (bytes: NetlinkBytes, from: number, to: number) => T,
  ): Promise<T | undefined> => {
    if (family === undefined) return undefined;
    let answer: T | undefined;
    const request = encodeEthtoolGet(family.id, command, link.index);
    await requests
      .request(`reading the settings of ${link.name}`, request, (bytes, { type, from, to }) => {
        if (type === family.id) answer = decode(bytes, from, to);
      })
      .catch(() => false);
    return answer;
  };
  const readLink: EthtoolClient['readLink'] = async (link) => {
    const [linkState, modes, port] = [
      await ask(link, ETHTOOL_MSG_LINKSTATE_GET, decodeLinkState),
      await ask(link, ETHTOOL_MSG_LINKMODES_GET, decodeLinkModes),
      await ask(link, ETHTOOL_MSG_LINKINFO_GET, decodeLinkInfo),
    ];
    return {
      ...(linkState === undefined ? {} : { linkState }),
      ...(modes === undefined ? {} : { speedMbit: modes.speedMbit, duplex: modes.duplex }),
      ...(port === undefined ? {} : { port }),
    };
  };
  return {
    readLink,
    read: async (link) => {
      const basics = await readLink(link);
      const modes = await ask(link, ETHTOOL_MSG_LINKMODES_GET, decodeLinkModes);
      const rings = await ask(link, ETHTOOL_MSG_RINGS_GET, decodeRings);
      const channels = await ask(link, ETHTOOL_MSG_CHANNELS_GET, decodeChannels);
      const features = await ask(link, ETHTOOL_MSG_FEATURES_GET, decodeFeatures);
      const wol = await ask(link, ETHTOOL_MSG_WOL_GET, decodeWol);
      return {
        ...basics,
        ourModes: modes?.ours ?? [],
        peerModes: modes?.peer ?? [],
        features: features ?? [],
        ...(rings === undefined ? {} : { rings }),
        ...(channels === undefined ? {} : { channels }),
        ...(wol === undefined ? {} : { wakeOnLan: wol.modes }),
      };
    },
    change: async (link, change) => {
      const { id } = family ?? (await findFamily(requests, 'ethtool'));
      for (const [what, request] of encodeEthtoolChange(id, link.index, change))
        await requests.request(`setting ${what} of ${link.name}`, request);
    },
    [Symbol.dispose]: () => news?.[Symbol.dispose](),
  };
}

/** Ask for a family of generic netlink. @throws BloomeryError BLM_KERNEL_REFUSED with ENOENT where the kernel has none */
export async function findFamily(requests: NetlinkRequests, name: string): Promise<GenlFamily> {
  let family: GenlFamily = { id: 0, groups: new Map() };
  const request = encodeFamilyRequest(name);
  await requests.request(`looking for ${name} in the kernel`, request, (bytes, { from, to }) => {
    family = decodeFamily(bytes, from, to);
  });
  return family;
}

async function follow({ clock, log, onChange }: EthtoolDeps, group: number): Promise<NetlinkSocket | undefined> {
  try {
    const news = await openNetlinkSocket({
      protocol: NETLINK_GENERIC,
      clock,
      receiveBufferBytes: NEWS_BUFFER_BYTES,
      onNews: (datagram) => {
        try {
          const bytes = new NetlinkBytes(datagram);
          eachNetlinkMessage(bytes, ({ from, to }) => onChange(ethtoolLinkIndex(bytes, from, to)));
        } catch (error) {
          log.warn('kernel.ethtool_news_unreadable', { error: errorText(error) });
        }
      },
      onLost: () => onChange(0),
    });
    news.join(group);
    return news;
  } catch (error) {
    log.warn('kernel.no_ethtool_news', { error: errorText(error) });
    return undefined;
  }
}
