import { ANNOTATIONS, type Server } from '@bloomery/model';

/** Which machines send WireGuard through gRPC instead of UDP: those that ask for it or are told to, all, none. */
export type TunnelPolicy = 'auto' | 'force' | 'off';

/**
 * Whether a machine tunnels: with `auto` when it asked for it, or when its Server has annotation
 * `bloomery.dev/siderolink-tunnel: "true"`. Pure.
 */
export function isTunnelled(policy: TunnelPolicy, server: Server | undefined, asked: boolean): boolean {
  if (policy !== 'auto') return policy === 'force';
  return asked || server?.metadata.annotations?.[ANNOTATIONS.siderolinkTunnel] === 'true';
}

/** First Talos release whose machines can tunnel. */
const TUNNEL_SINCE = [1, 7] as const;

/** Whether this Talos version is known to be too old for the tunnel. Versions that cannot be read are not. */
export function isTooOldToTunnel(talosVersion: string | undefined): boolean {
  return isOlderTalos(talosVersion, TUNNEL_SINCE);
}

/** Whether a tag such as `v1.7.3` is known to be older than this major and minor version. */
export function isOlderTalos(version: string | undefined, [major, minor]: readonly [number, number]): boolean {
  const found = /^v?(\d{1,4})\.(\d{1,4})(?:[.+-]|$)/.exec(version?.slice(0, 64) ?? '');
  if (found === null) return false;
  const [ofMajor, ofMinor] = [Number(found[1]), Number(found[2])];
  return ofMajor < major || (ofMajor === major && ofMinor < minor);
}
