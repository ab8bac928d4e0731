import { ANNOTATIONS, type ServerBinding } from '@bloomery/model';
import { bareLinkAddress } from '@bloomery/siderolink';
import { formatWireguardKey, parseWireguardKey } from '@bloomery/wire';
import { isStorableEndpoint } from './stored-endpoint.ts';

/** How a machine's WireGuard packets travel. */
export type LinkMode = 'udp' | 'tunnel';

/** The WireGuard peer that a ServerBinding asks for. */
export interface LinkPeer {
  /** base64, canonical. */
  readonly publicKey: string;
  /** Bare link address. */
  readonly address: string;
  readonly mode: LinkMode;
}

/** What the link knows of one ServerBinding. */
export interface Member {
  readonly uid: string | undefined;
  readonly generation: number;
  /** resourceVersion, where it is a number. */
  readonly revision: number | undefined;
  /** Absent: the machine has not asked for an address yet, or the binding is gone. */
  readonly peer: LinkPeer | undefined;
  /** `host:port` where the machine was seen last, by the binding's status; undefined for the tunnel. */
  readonly endpoint: string | undefined;
  /** True while the status says that the machine is linked. */
  readonly wasUp: boolean;
  /** Milliseconds since the epoch, by the status; 0: never. */
  readonly lastHandshakeMs: number;
}

/** Read a binding. One written by hand may hold anything: what is not an address and a key is no peer. */
export function readMember(binding: ServerBinding): Member {
  const { uid, generation = 0, resourceVersion = '' } = binding.metadata;
  const { link, linkEndpoint = '', lastHandshake = '' } = binding.status ?? {};
  const peer = peerOf(binding);
  return {
    uid,
    generation,
    revision: /^\d{1,15}$/.test(resourceVersion) ? Number(resourceVersion) : undefined,
    peer,
    endpoint: peer?.mode === 'udp' && isStorableEndpoint(linkEndpoint) ? linkEndpoint : undefined,
    wasUp: link === 'up',
    lastHandshakeMs: Date.parse(lastHandshake) || 0,
  };
}

function peerOf({ metadata, spec }: ServerBinding): LinkPeer | undefined {
  if (spec?.siderolink === undefined) return undefined;
  const address = bareLinkAddress(spec.siderolink.address);
  const key = parseWireguardKey(spec.siderolink.publicKey);
  if (address === undefined || key === undefined) return undefined;
  const mode = metadata.annotations?.[ANNOTATIONS.siderolinkMode] === 'tunnel' ? 'tunnel' : 'udp';
  return { publicKey: formatWireguardKey(key), address, mode };
}

/** Whether `next` tells of an earlier state than `have`: caches are late, and must not undo what was just stored. */
export function isOlder(next: Member, have: Member): boolean {
  if (next.revision !== undefined && have.revision !== undefined) return next.revision < have.revision;
  return next.uid === have.uid && next.generation < have.generation;
}

/** Whether two members ask for the same peer. */
export function isSamePeer(a: LinkPeer | undefined, b: LinkPeer | undefined): boolean {
  return a?.publicKey === b?.publicKey && a?.address === b?.address && a?.mode === b?.mode;
}
