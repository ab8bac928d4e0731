import { ANNOTATIONS, type Server } from '@bloomery/model';
import { isOlderTalos } from '@bloomery/talos';

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
